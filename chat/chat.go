// Package chat is the domain: identifiers and their rules, messages and
// conversations, limits, numbered errors, and the deterministic state machine
// Apply that every replica of a shard runs over the same commands.
//
// It knows no clock, disk, network or goroutine, and imports the standard
// library only. Whatever must be the same on every replica (seq, message id,
// time, dedupe, hash) is decided here; whatever may differ (who is connected,
// what is cached) is not. Callers are the replication host, which applies
// commands, and the actors, which validate before they propose.
package chat
