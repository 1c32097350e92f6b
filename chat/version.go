package chat

import "fmt"

// Version is the newest version that this release speaks. One number covers what
// nodes must agree on: how commands are applied, and what nodes send each other.
// It grows with every change that an older release would misread or apply
// differently. Commands carry the version they are to be applied by, which is the
// one that the cluster agreed on; an older Apply stays reachable as long as logs
// may hold its commands.
const Version = 1 + step

// oldest is the oldest version that this release can run with.
const oldest = 1

// Versions is a range of versions, both ends included.
type Versions struct{ Oldest, Newest uint32 }

// Spoken is the range of this release.
func Spoken() Versions { return Versions{oldest, Version} }

// Holds says whether a version is one of the range.
func (v Versions) Holds(version uint32) bool { return v.Oldest <= version && version <= v.Newest }

// Meets says whether two ranges have a version in common.
func (v Versions) Meets(other Versions) bool {
	return v.Oldest <= other.Newest && other.Oldest <= v.Newest
}

// String is for people.
func (v Versions) String() string {
	if v.Oldest == v.Newest {
		return fmt.Sprintf("version %d", v.Newest)
	}
	return fmt.Sprintf("versions %d to %d", v.Oldest, v.Newest)
}

// Since is the first version that has a command.
func Since(b CommandBody) uint32 { return b.rule().since }
