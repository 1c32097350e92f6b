package directory

import (
	"testing"
	"time"

	"github.com/parley-im/parley/storage"
)

// TestWhatALeaderOwesOutlivesAShortOne says who leads, when, and since when the last
// of them has to push again.
func TestWhatALeaderOwesOutlivesAShortOne(t *testing.T) {
	type word struct {
		node storage.NodeID
		term storage.Term
		at   time.Duration
	}
	const s = time.Second
	for name, c := range map[string]struct {
		said []word
		owed time.Duration
	}{
		"the first":                      {[]word{{"a", 1, 5 * s}}, 5 * s},
		"after a long one":               {[]word{{"a", 1, 0}, {"a", 1, 20 * s}, {"b", 2, 23 * s}}, 20 * s},
		"after a short one":              {[]word{{"a", 1, 0}, {"a", 1, 20 * s}, {"b", 2, 23 * s}, {"b", 2, 28 * s}, {"c", 3, 29 * s}}, 20 * s},
		"after one that was long enough": {[]word{{"a", 1, 0}, {"a", 1, 20 * s}, {"b", 2, 23 * s}, {"b", 2, 33 * s}, {"c", 3, 35 * s}}, 33 * s},
		"again, in another term":         {[]word{{"a", 1, 0}, {"a", 1, 20 * s}, {"a", 2, 21 * s}}, 20 * s},
	} {
		var r route
		for _, w := range c.said {
			r, _ = r.next(w.node, w.term, w.at)
		}
		if r.owed != c.owed {
			t.Errorf("%s: since %v, want %v", name, r.owed, c.owed)
		}
	}
}
