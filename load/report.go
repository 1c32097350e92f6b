package load

import (
	"os"
	"path/filepath"
	"slices"
	"time"
)

// say prints the figures of the phase that has just ended.
func (r *Report) say(say func(string, ...any)) {
	switch {
	case len(r.Acked) > 0:
		say("closed loop: acked/s %v, median %.0f; server CPU-s per 100k delivered, median %.1f", rounded(r.Acked), Median(r.Acked), Median(r.LoopCPU))
	case r.RateCPU > 0:
		say("at the fixed rate: e2e p50 %v p99 %v; server CPU-s per 100k delivered %.1f", r.RateP50, r.RateP99, r.RateCPU)
	default:
		say("idle connections: %.1f KB each (growth of resident memory)", r.KBPerIdle)
	}
}

func rounded(values []float64) []int {
	out := make([]int, len(values))
	for i, v := range values {
		out[i] = int(v + 0.5)
	}
	return out
}

// Median is the middle value, 0 of none.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	return sorted[len(sorted)/2]
}

// calibrateFsync appends 256 bytes and syncs, for a second, in the directory
// that the node will use: the floor under every acknowledged message.
func calibrateFsync(dir string) (p50, p99 time.Duration, err error) {
	f, err := os.Create(filepath.Join(dir, "fsync"))
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	block := make([]byte, 256)
	var took []time.Duration
	for begin := time.Now(); time.Since(begin) < time.Second; {
		at := time.Now()
		if _, err := f.Write(block); err != nil {
			return 0, 0, err
		}
		if err := f.Sync(); err != nil {
			return 0, 0, err
		}
		took = append(took, time.Since(at))
	}
	slices.Sort(took)
	return took[len(took)/2], took[len(took)*99/100], nil
}
