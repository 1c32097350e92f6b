// Package failpoint ends a process at a named place in the code, for tests of
// what others then do. It is there only in builds with the tag failpoint, where
// PARLEY_FAILPOINT=NAME:N ends the process at the Nth hit; elsewhere a Hit is
// nothing at all.
package failpoint

// BeforeFanOut is where a sender has its answer and nobody the message.
const BeforeFanOut = "before-fanout"
