// Package policy says what of an agent's work is recorded: which projects and tools are left
// out, how much of each text is kept, and what else is a secret. It is what [capture] and
// [redact] of a home's config.toml say, in a form that a hook reads in microseconds:
//
//	config.toml ── config.CompilePolicy ──▶ <home>/policy ── File.Policy ──▶ redact.Redactor
//
// A Policy is a function of what it was made from; only Load, File and Write touch the disk.
// What it does to an event is in withhold.go. In short:
//
//   - exclude_projects: a session that starts in such a folder is left out whole, with its
//     journal file. Of one that starts elsewhere, what happens in such a folder is left out
//     and the rest is kept. It is about where an agent works, not about the files it reads.
//   - exclude_tools: a call of such a tool stays, with its name, ids, times and status, so
//     that turns, durations and counts are right and nobody takes the gap for completeness.
//     What it was given, returned and said of its failure is not kept, but for its size and a
//     keyed hash. Where a runtime says it again it is not kept either: the prompt and record
//     of the agent that a call started; with any such tool, the text of notes that a task has
//     ended, the commands of background tasks, and what made a file of instructions load. What
//     the model and its agents say in words of their own stays, an agent's answer with it,
//     though the call that started the agent returns the same.
//   - content = "none": the same of every text; names, ids, times, statuses, sizes, token
//     counts and the working directory stay. "gist": the first 200 characters of each.
//
// Where the compiled form cannot be read the private side is taken: nothing of any text.
package policy
