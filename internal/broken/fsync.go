//go:build broken_fsync

package broken

const flaw = "fsync"
