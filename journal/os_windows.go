package journal

import "os"

// writeOnce relies on O_APPEND being FILE_APPEND_DATA, which Windows writes
// atomically at the end of a local file; WriteFile does not fall short on one.
func writeOnce(f *os.File, p []byte) (int, error) { return f.Write(p) }

// openSync opens a file to be flushed to the disk, for which Windows wants the
// right to write.
func openSync(path string) (*os.File, error) { return os.OpenFile(path, os.O_RDWR, 0) }

// canSyncDir: Windows has no fsync of a directory.
const canSyncDir = false

// chmod does nothing: access is inherited from the user's profile directory.
func chmod(*os.File) error { return nil }
