// Package journal keeps what agents did: append-only files, one a session, on the
// machine where it happened. It is the only source of truth; every store is a
// cursor over it. This comment is the format's specification.
//
// # Goals
//
//   - An acknowledged event is never lost: not by a writer that is killed, not by
//     64 writers at once, not by a disk that fills up.
//   - Writing costs an agent that waits for its hook next to nothing: one write(2),
//     no lock, no fsync, no daemon, no socket.
//   - Reading is a cursor: any number of readers, each at its own position, and a
//     file that is not the one a position was taken from is noticed.
//   - A damaged line costs itself and nothing else.
//
// # Assumptions
//
//   - A local file system. write(2) on a file opened with O_APPEND must append as
//     one step: NFS, SMB and drvfs (Windows drives seen from WSL) do not do that.
//   - Complete lines never change. A file may be replaced as a whole (rename), and
//     only so.
//   - A kill of a process takes nothing back that write(2) took. A power failure
//     may take what was not yet synced: see Durability.
//
// # Files
//
//	$AG_HOME, else ~/.actiongraph    0700   the home
//	  id                             0600   32 hexadecimal digits: the journal's random id
//	  key                            0600   64 hexadecimal digits: keys the hashes of inputs
//	  version                        0600   the home's format, absent of 1 (HomeVersion)
//	  journal/                       0700
//	    <session>.jsonl              0600   one session's events
//	    <session>.jsonl.new, .old    0600   while it is rewritten, or after a kill then
//	    <session>.jsonl.zst          0600   what of it is packed
//	    <session>.jsonl.packing, .zst.new, .zst.tmp   while it is packed, or after a kill then
//	    source-<16 digits>.jsonl     0600   up to where files were read that are of no one session
//
//	  forgotten/<32 digits>          0600   the tombstone of a session that was forgotten
//
// Modes hold whatever the umask is. A session is a string that matches
// schema.IDPattern; whatever else a runtime sends as its session id was hashed to
// one before (schema.SafeID), so that no path ever comes from a payload. A file
// with another name is not part of the journal. Files id and key appear by link(2),
// whole or not at all; one that a power failure left empty is made anew.
//
// # Framing
//
// A file is lines, ended by a newline each. Empty lines mean nothing. Every other
// line is a record: one JSON object, one event of package schema. A writer writes
//
//	\n{json}\n
//
// with one write(2) on a file opened with O_APPEND. The json holds no newline. Several
// records, each framed like that, may share a write.
//
// Why a newline in front: a writer that is killed in the middle of its write leaves
// a torn tail, a piece of a record without a newline. Written as `{json}\n`, the
// next record would continue that line, and with the torn record be lost though it
// was acknowledged (measured with writers SIGKILLed at random: 223 to 306 of about
// 10,000; with the newline in front 0 of 22,712). The newline in front ends the
// torn tail first.
//
// Why one write: os.File.Write loops on a short write, and between its two halves
// another process's record may land. After a short write the whole record that it tore,
// framed, is written again, once, and with it those that were to follow. What the first
// attempt left is a torn line.
//
// A record may stand in a file twice (a writer that was killed after its write and
// before it could say so, a short write by nothing but the last newline). Events
// are facts with ids: two records with one id are one fact.
//
// # Reading
//
//   - A line without its newline at the end of the file is "not yet": its writer may
//     be at it. The newline that the next writer begins with decides.
//   - A line that is not one JSON object from its first byte to its last, brackets
//     balanced, is torn: counted, passed over, never fatal. No proper prefix of a
//     record is balanced, so every torn tail is seen; the check steps over strings
//     and runs at memory speed. A line that is balanced and yet no JSON (a flipped
//     bit) is returned; schema.Decode refuses it and the caller counts it.
//   - A line longer than MaxLine is torn too, and is passed in bounded memory.
//     Append does not write one.
//   - Two kinds of files are nobody's session (schema.NoSession) and not listed: up to
//     where other programs' files were read, and the probes of doctor, which calls a hook to
//     see that it records, and removes what it recorded (Probes, DiscardProbe).
//
// # Positions
//
// A position is what a store remembers of how far it has read a file: the offset
// behind a line and its newline, the hash of that line, and the hash of the file's
// first line; empty lines do not count, torn ones do. The hash is FNV-1a, 64 bits,
// of the line's bytes; 0 stands for "no line", so a hash of 0 is taken as 1. The
// zero position is the beginning.
//
// A position matches a file when a line with that hash ends at that offset and the
// first line has that hash. A file that shrank, was rewritten, replaced or removed
// does not match (ErrReplaced): the session is dropped from the store and read
// again from zero. The hashes find accidents, not forgers.
//
// A file that is taken away, by a rename or a removal, may be open in a writer. So a writer
// looks after each write whether the name still leads to the file that it wrote to, and
// writes again to the one that is there now where it does not. Whoever takes a file away reads
// it for the last time after that: what was written before is found then, what is
// written later is written again. Nobody has to wait for anybody.
//
// A file is rewritten (Rewrite) beside its writers: rewrite.go says how, and what each state
// means that a kill can leave.
//
// A session that is forgotten leaves a tombstone (forget.go), which whoever would make its
// file meets.
//
// # Packing
//
// What a session holds may be packed: <session>.jsonl.zst is seekable Zstandard, and unpacked,
// byte for byte, what the plain file was. Writers know nothing of it: who resumes the session
// makes a plain file again, whose content goes on where what is packed ends. Offsets and
// positions are of that whole content, so that packing changes nothing for who holds one.
// What of a session is there at one moment decides what it holds, one behind the other:
//
//	.zst? .packing? .jsonl?     where there is no .zst.new
//	.zst.new .jsonl?            where there is: it holds what .zst and .packing do
//
// Pack goes through these states, by one rename or removal each, and each holds the same:
//
//	        .zst? .jsonl             .zst.tmp is written beside them, synced, read and compared
//	        .zst? .packing .jsonl?   the plain file is put aside; writers make the next
//	.zst.new .zst? .packing .jsonl?  .zst.tmp is whole, and gets this name
//	.zst.new .zst? .jsonl?           what came late to .packing was appended to .jsonl
//	        .zst .jsonl?
//
// Readers look at all names until they are the same twice, and a Cursor that finds others
// goes on in these. A program without a Codec says of a session that is packed that it
// cannot read it, never that it is not there. The first line of a packed session, and the one
// that a position stands behind, cost unpacking a frame of 1 MiB each.
//
// # Durability
//
// Append does not fsync, but for a session_end, when nobody waits for the next
// hook. A reader that passes events on to a store calls Sync first: no store may
// know what the journal could still lose. So does who is told that what it added is
// kept (Home.Add, a post over HTTP): many at once share an fsync. The first Sync of a
// session also syncs the directory, and the first of all the home with its id.
//
// # Failures
//
// ENOSPC, a second short write, EIO: Append returns an error and acknowledges
// nothing of that record. Whether a piece of it is in the file does not matter: it
// is a torn line, or the record itself.
package journal
