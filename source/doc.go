// Package source reads the JSONL files that other programs write, dumps and logs, into
// the journal: once, or as they grow. What a line is adapters/jsonl says; what
// of a file was read, and of which file, is decided here.
//
// # What is read
//
// Any file that somebody names, and of a folder those that are called
//
//	*.jsonl  *.ndjson  *.json      and, behind that, .gz  .1  -20260301  -2026030113
//	.2026-03-01  .2026-03-01_13-05  .old  .bak  .prev
//
// Others are counted, and homes of actiongraph left alone. What gzip packed is told by its
// first bytes. The format is told by the first line that one of the formats knows, among the
// first 64 or 1 MiB; a file without such a line is foreign, and reported. A file in a format that is one session has
// the session jsonl.SessionID of its name, without what says how it is kept, and its first
// line.
//
// # Documents
//
// A file that is one JSON value over many lines, or one array without a newline behind it, is
// one line: it is read, whole, once the value is complete. That it is such a file shows in its
// first line, on which a value begins and does not end. Its identity is the hash of
// the value: one that is written anew, with more in it, is read anew, and its facts are the
// same. One whose end is missing waits; an import reports it, a Follower says so once it is quiet
// (Health.Waiting). One that is no JSON is reported with line and column, each time, and read when it
// is put right, but that a first line which was torn off is a bad line, and what follows it are
// lines: behind more than an opening it was torn off; where nothing but that, as { or [ or {"grains":[, is on it, a
// line among those that the format is looked for in has to say so, which is a whole value of a
// known format, or of any where one is named, in its first column. Where such a value has a comma behind
// it first, it is a list that is no JSON. More than lines.MaxLine of a document are not read.
//
// # Lines
//
// A line is read when it is whole: it ends with a newline, or is one JSON object and the
// file's last. A byte order mark, carriage returns, blanks around a line and zeros in front of
// it (as in a file that was cut while its writer went on where it was) are no part of it.
// A line that is bad, or longer than lines.MaxLine, is reported with its number and passed over.
// Of a dump and a trace the lines before tell what one leaves out (jsonl.Order): who goes on
// behind a position reads what is before it once more, of a dump its last MiB, and no position
// says more than where it is. Lines at the head of a file that have no time have the first one that follows
// in its first 64 MiB; of a file that grows, once one is there: they wait for it until the file is
// quiet, or 4 MiB long. What a pipe gives is not looked ahead in. Memory does not depend on the size of a file, but for its longest line. Lines are decoded
// and redacted on all cores, and appended in the order of the file.
//
// # Positions
//
// Up to where a file is in the journal is a fact of the journal itself: a source_position
// in the file of schema.PositionsID(hash of the file's first line that is not blank). That file holds nothing
// else and is no session's; journal.Files leaves it out. Its records have, in their metadata,
//
//	source    the path
//	offset    bytes: behind the last line that was read; of a packed file those that come out of it
//	lines     how many lines those are
//	sum       hash of the line that ends at offset: FNV-1a, 64 bits, as transcript's
//	first     hash of the file's first line that is not blank, without what is around it
//	broken    how many of the lines were bad; absent where none was
//	all       sum over all lines before offset, CRC-32C
//	device    of the file, and
//	inode
//	size      of the file when it was read to its end, and
//	modified  its time, in Unix nanoseconds; absent where there was more to read
//	format
//	session   of a format that is one session a file
//
// A position is appended behind the facts that it covers, once these are on the disk: after a
// power cut, or a kill, facts are read again and are the same facts. The first record of a file
// whose format is one session, or that is followed, comes before its facts, at offset 0: it says
// what the session is called, whatever becomes of the file's name, and that it was begun.
//
// Where to go on in a file: behind the position of this device and inode, if a line with
// that sum ends there still, and, where the file did not grow or had bad lines, which somebody
// may have repaired, all lines before it have the sum they had; else behind any other position that the file's content has, so that
// a copy, a file that was moved to another disk, and what it is packed to, go on where it was;
// else at the beginning, as does a copy of the first part of what was read: its facts are
// recorded twice, and are the same; but that, of a trace or dump of which somebody repaired a line, later
// lines may say more than they did (jsonl.Order). The graph takes back what it made of an end that said
// less (graph, told.go); not that a run failed, a call that an answer was given to in place of the right one,
// or a second time of a line that has none. A file of the size and time that it was read with is not
// read at all, but for its first line. To have files read anew, remove the journal of the
// session, or, of formats whose lines name their sessions, the files of positions.
//
// # Files that are followed
//
// A Follower tells files by device and inode: a file that is renamed is read on, under
// whatever name, and one that was deleted, or renamed to where nobody looks, until it was quiet
// for a minute. Where a Spec names one file, what that is rotated to is read on, too, if it was
// begun, or appears while it runs. A file that was cut or rewritten in its place is another
// file: where it was written to and did not grow, all of what was read is compared, but of a file
// that is touched over and over ever more seldom, up to once a minute and a twentieth of the time. What grew
// as well, between two looks, and begins and goes on as it did, is not. The copy that somebody made of it before goes on where it had been read. What may be
// a copy that is not all there yet, or is being packed, is looked at once it is quiet. What was
// written and removed between two looks nobody can read.
//
// A position is written when a file is begun, at offset 0: a kill does not make it unknown.
// Then it is written when the file is quiet, or each minute, or each 10 s where it grew by 1 MiB
// in them, after 64 MiB, and when the Follower ends; less often where what it covers, the
// journals of many sessions, takes more than a twentieth of the time to get to the disk.
package source
