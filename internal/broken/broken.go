// Package broken holds flaws that builds by tag have on purpose, one each, to
// show that a chaos run finds them: go build -tags broken_dedupe. Without such a
// tag all constants are false, and the compiler leaves out what they guard. The
// guarded places are the only callers; see scripts/chaos-selftest.sh.
package broken

// The flaws.
const (
	// AckBeforeFsync: entries of a shard's log count as stored before they are
	// synced. A power cut takes what was acknowledged.
	AckBeforeFsync = flaw == "fsync"
	// NoDedupe: nothing remembers client message ids. Retries are new messages.
	NoDedupe = flaw == "dedupe"
	// NoTermFence: what an earlier leader sends passes for the present one's.
	NoTermFence = flaw == "fence"
	// FanOutOfOrder: what was committed together is pushed last first, numbered as
	// it leaves. (Pushes with true numbers in another order are put right by
	// clients, as the protocol asks of them.)
	FanOutOfOrder = flaw == "fanout"
	// StaleReads: a leader neither steps down when it hears of nobody nor asks
	// whether it still leads before it serves a read.
	StaleReads = flaw == "reads"
	// NoTenants: an app of an odd number reads and writes the conversations of the
	// next one.
	NoTenants = flaw == "tenants"
)
