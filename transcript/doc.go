// Package transcript reads the session files that an agent runtime leaves on disk into
// the journal: what adapters/claude says a line is, through redaction, appended to the
// journal of its session. It is what `ag-sessiond import` does to old sessions and what
// a daemon that follows live ones calls again and again.
//
// # What is a transcript
//
//	<dir>/**/<session>.jsonl                                 a session; the name is its id
//	<dir>/**/<session>/subagents/**/agent-<id>.jsonl         a subagent of it, with agent-<id>.meta.json
//	<dir>/**/agent-<id>.jsonl                                the same, up to 2.0: its lines name the session
//	<dir>/**/*.jsonl                                         any other name, if its lines name a session
//
// Other files, and homes of actiongraph, are left alone. A file is known by its real
// path: links are followed, and what two paths lead to is read once.
//
// # Positions
//
// Up to where a file is in the journal is a fact of the journal itself: a
// source_position record in the journal of the file's own session, written after the
// facts that it covers. A process that is killed in between leaves facts without a
// position; they are read again, and a fact that is recorded twice is one fact. Its
// metadata is
//
//	source   the real path
//	offset   bytes: behind the last line that was read
//	lines    how many lines those are; the next one's number is lines+1
//	sum      hash of the line that ends at offset, FNV-1a, 64 bits, 16 hexadecimal digits
//	first    hash of the file's first line, likewise
//	all      sum over all lines before offset, CRC-32C, 8 hexadecimal digits
//
// and its host is the machine whose path that is. A file that does not match its
// position (it shrank, was rewritten or replaced) is read again from its beginning. The sum
// is compared where a file changed and did not grow, or has another inode: what
// only grew in its place is believed.
//
// <home>/transcripts.index repeats the positions with each file's size, time and inode, so
// that to import a tree again is a stat of each file and nothing else; hashes of what it begins
// with, to know a copy of it when it is gone; how long the journal
// was then and what it ended with, so that it is not believed of another one; and what was
// passed over in the file, which `ag-sessiond status` adds up. It does not name files of which the
// policy leaves out everything: while it does they are not read again. It is a cache:
// what it lacks is looked up in the journal of the session and in the file, and it may be deleted;
// but how a file began that is gone by then is not known any more.
//
// # Copies
//
// A fork, and a session that an old version resumed under a new id, begins with the lines
// of the session before. They are facts of that one, and the new session says at which event
// it left it. Versions since 2.1.330 mark copied lines; of others the files beside it in its
// folder say whose a line is, where they begin with the same line or the same answer of the
// model, or have the end of the compaction that the copy begins with: its uuid is theirs, too,
// and theirs is the earlier one, or of the same time in a file that begins earlier. Versions up
// to 1.0.65 wrote new uuids into the copies, gave all of them one time and left the requests out:
// of such lines the message.id or tool_use_id says it. Nothing else is taken for a copy: ids
// alone do not tell, as gateways and mocks count them.
//
// A copied line with another uuid or time than there is told by that file alone, and counted in
// FileReport.Copied; an import reads that file, too, if it was not asked for. Whose lines are
// copies depends on which files are there, or gone and in the index, when a file is read, and not
// on the order in which they are. Of a session whose file appears later, the copies
// that were read before stay facts of the first copy, and what it spent is counted twice. It is
// not seen that a fork copied a session whose first prompt had been taken back.
//
// How far a copy goes is known once a line of the session's own follows. A file that was
// written within half a second and begins with copies is left to settle before it is read.
//
// # Lines
//
// A line is read when it is whole: it ends with a newline, or is one JSON object and
// the file's last. Of what is cut short nothing is read until it goes on. A line that
// is broken, or longer than MaxLine, is reported with its number and passed over.
// Memory does not depend on the size of a file, but for its longest line.
package transcript
