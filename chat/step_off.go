//go:build !nextversion

package chat

// step is by how much a build for tests is ahead of this release: a constant that
// nothing but its own tag changes.
const step = 0
