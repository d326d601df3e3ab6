package tail

import "runtime"

// notifyIsCheap is false where fsnotify uses kqueue: it would open every file of
// the directory, thousands of descriptors for a directory of finished sessions.
// The poll sees a new file within a second there, too, since it reads a directory
// that changed.
const notifyIsCheap = runtime.GOOS == "linux" || runtime.GOOS == "windows"
