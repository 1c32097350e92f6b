//go:build broken_dedupe

package broken

const flaw = "dedupe"
