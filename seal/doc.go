// Package seal makes it evident when what a journal holds was changed, removed or inserted
// afterwards. This comment is the format's specification; docs/seal.md says who is caught by it, and
// who is not.
//
// # Files
//
//	<home>/seal.key             0600   64 hexadecimal digits: the seed of an ed25519 key
//	<home>/seals/               0700
//	  log                       0600   entries, signed, each with the hash of the one before
//	  <session>.seal            0600   the hashes of a session's records
//	<home>/seal.lock                   held by who writes these, and by who verifies
//
// # Records
//
// What a session holds is cut into records: each goes up to, and with, the newline that ends a line
// which is not empty. So they are all bytes of the content, the newlines in front of lines and torn
// lines too, but for a last line that is not complete yet. Packing keeps them.
//
//	leaf(i)  = SHA-256(salt ‖ record i)
//	chain(0) = SHA-256("actiongraph seal 1" ‖ 0 ‖ journal ‖ 0 ‖ session ‖ 0 ‖ salt)
//	chain(i) = SHA-256(chain(i-1) ‖ leaf(i))
//
// The salt is random, 16 bytes, new for each chain, and in the session's file alone. When that goes,
// because the session is forgotten or scrubbed, the hashes that stay in the log confirm no guess of
// what was there.
//
// # A session's file
//
//	actiongraph seal 1 <salt, 32 hexadecimal digits>\n
//	<leaf 1, base64 without padding>\n
//	…
//
// Nothing in it is signed: the log is what is believed, and holds the chain's head. The leaves say
// which record it is where the head is another one. There may be more of them than the log says
// that are sealed, where a kill came between the two writes; the next seal cuts these off.
//
// # The log
//
// One line an entry: {"entry":{…},"signature":"…"}. The signature is over "actiongraph seal 1" ‖ 0 ‖
// the bytes of the entry. An entry has its number, counted from 1, the SHA-256 of the whole line before
// (without its newline), a time, and:
//
//	begin    the first one, there before any session's file: the journal's id, the public key
//	seal     a session's chain goes up to here: name, records, bytes, head
//	rewrite  somebody is about to rewrite the session (a scrub): its chain ends, the next seal begins another
//	forget   somebody is about to remove it for good: its chain ends
//
// The last two say of the chain that they end where it was, and whether the file was then what was
// sealed: nobody has a change covered up by a scrub. A session is named by a keyed hash of its id, as its
// tombstone is (journal.TombstoneName), so that the log need not be changed to forget one.
//
// An entry is written by one write(2), after the session's records, and their leaves, are on the disk, and
// is on the disk itself before a store gets it. A line without its newline is what a kill left; it is cut
// off by the next writer.
//
// # Copies
//
// Whoever has the key can write another log. So the last line of the log goes to every store that is kept
// (connector.Witness): one copy of it covers all entries before. A copy never goes back, and is not
// replaced where this log is not the one that it is of.
package seal
