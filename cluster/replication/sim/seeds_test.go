package sim

import "testing"

// hold runs a seed that once failed.
func hold(t *testing.T, seed uint64) {
	t.Helper()
	if res := Run(seed, Options{}); res.Violation != "" {
		t.Errorf("seed %d: %s", seed, res.Violation)
	}
}

// A replica that applied its own removal kept its leader for ever and never
// asked whether it was still needed.
func TestSeed229ARemovedReplicaAsks(t *testing.T) { hold(t, 229) }

// The question went to replicas that no longer led, which did not pass it on.
func TestSeed529TheQuestionReachesTheLeader(t *testing.T) { hold(t, 529) }

// A learner became a voter before its node had heard of it; its vote was needed
// and nobody was there to give it.
func TestSeed747OnlyWhoHasCaughtUpIsPromoted(t *testing.T) { hold(t, 747) }

// A move that was begun with voters to spare waited for ever when another change
// had used them up; the simulator's own mistake.
func TestSeed39058AMoveIsChosenAnew(t *testing.T) { hold(t, 39058) }

// The last voter crashed between its answer to a removal and the disk; the
// removed replica had a longer log, kept its vote and could not stand itself.
func TestSeed258912ARemovedReplicaTestifies(t *testing.T) { hold(t, 258912) }

// A removed replica gave its vote to a log that lacked what it had acknowledged
// after its removal.
func TestSeed414643ARemovedReplicaKeepsItsVote(t *testing.T) { hold(t, 414643) }

// An empty proposal that was made before a removal spoke for it: the replica was
// gone before anybody durably knew that it had left, and was needed again.
func TestSeed6031850WhoDepartsLaterWaits(t *testing.T) { hold(t, 6031850) }

// A follower cut its log in the very round that replaced the log's end, and noted
// the term of the entry that was replaced. As a leader it took another replica's
// old entry there for its own, and the two differed for ever.
func TestSeed20017068TheBaseIsOfTheLogThatStays(t *testing.T) { hold(t, 20017068) }

// The same, as the simulator sees it now: when the base is written.
func TestSeed20000047TheBaseIsOfTheLogThatStays(t *testing.T) { hold(t, 20000047) }
