package sim

import "testing"

func BenchmarkSeeds(b *testing.B) {
	seed := uint64(1)
	for b.Loop() {
		seed++
		if res := Run(seed, Options{}); res.Violation != "" {
			b.Fatalf("seed %d: %s", seed, res.Violation)
		}
	}
}
