//go:build nextversion

package chat

// step makes this build the next release, to roll to it and back in tests.
const step = 1
