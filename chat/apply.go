package chat

import "fmt"

// Apply runs one command against a shard's state. It is deterministic: the
// same state and command give the same result, events and writes on every
// replica. A refusal (Result.Err) has written nothing.
//
// It panics on a version that it does not know and on a command that the version
// does not have: a replica that cannot apply what was agreed must stop.
func Apply(s *State, c Command) (Result, []Event) {
	if c.Body == nil || !Spoken().Holds(c.Version) {
		panic(fmt.Sprintf("chat: %T of version %d, this release applies %v", c.Body, c.Version, Spoken()))
	}
	r := c.Body.rule()
	if c.Version < r.since {
		panic(fmt.Sprintf("chat: %T in version %d, it exists since %d", c.Body, c.Version, r.since))
	}
	return r.apply(s, c.Time, c.Body)
}
