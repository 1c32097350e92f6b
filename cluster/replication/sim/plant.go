package sim

import "github.com/parley-im/parley/cluster/replication/round"

// Plant names a bug that is put in on purpose, to see that it is found.
type Plant uint8

// The planted bugs.
const (
	NoPlant        Plant = iota
	SyncOff              // acknowledged before fsync: no commit is synced
	VoteUnsynced         // a round that is synced for a vote or term alone is not
	DedupeOff            // retries are not recognised
	TearInstall          // a snapshot is installed by deleting first
	ApplyEarly           // entries are applied before they are committed
	ReadStale            // reads without asking a quorum
	AnswerUnsynced       // votes and append responses leave before the commit
	GuardOff             // a disk that was put back from an older copy takes part
	plants
)

// String names a plant in a report.
func (p Plant) String() string {
	return [...]string{
		"none", "ack before fsync", "vote before fsync", "dedupe off", "snapshot installed by deleting first", "apply before commit",
		"stale read", "answer before the commit", "an older copy takes part",
	}[p]
}

// inside is the plant that the core itself must have.
func (p Plant) inside() round.Plant {
	switch p {
	case ApplyEarly:
		return round.ApplyEarly
	case ReadStale:
		return round.ReadStale
	case AnswerUnsynced:
		return round.AnswerUnsynced
	}
	return round.NoPlant
}
