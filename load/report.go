package load

import "slices"

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
