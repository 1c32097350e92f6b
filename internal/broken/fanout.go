//go:build broken_fanout

package broken

const flaw = "fanout"
