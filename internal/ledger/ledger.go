// Package ledger owns the single ordered, append-only, tamper-evident log of
// entries: the one writer, group commit, stamps, receipts, snapshots and
// checkpoints.
//
// It is generic over the state that entries fold into and knows only the few
// kinds it writes itself (starts, clock steps, snapshots, refusal counts,
// findings). It decides nothing: a proposal brings the decision as a
// function, which the writer runs against the state at the position where the
// entry will land. It stores nothing itself either: see [Store].
//
// Laws carried here: L1 (a receipt exists only after the entry is durable),
// L2 (decisions see the fold at their own position and nothing else; replay
// gives the same state), L3 (one order for everything), L10 (the head is
// recomputed from stored bytes at start, and before a checkpoint is signed).
//
// Start reading at [Log.Propose], then writer.go.
package ledger
