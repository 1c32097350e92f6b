//go:build broken_fence

package broken

const flaw = "fence"
