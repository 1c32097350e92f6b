package fair

import (
	"net/netip"
	"testing"

	"pgregory.net/rapid"
)

// fill takes as many places as a source gets.
func fill(p *Pool, s Source) (n int) {
	for p.Take(s) {
		n++
	}
	return n
}

func TestASourceLeavesAsMuchAsItHas(t *testing.T) {
	p := NewPool(120)
	for i, want := range []int{60, 30, 15, 8, 4} { // each alone half of the rest
		if got := fill(p, Of(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}))); got != want {
			t.Errorf("source %d gets %d places, want %d", i, got, want)
		}
	}
	if !p.Crowded() {
		t.Error("it is not crowded")
	}
}

func TestSettledPlacesDoNotCountForTheirSource(t *testing.T) {
	p, office := NewPool(100), at("192.0.2.1")
	for i := range 100 {
		if !p.Take(office) {
			t.Fatalf("number %d of those who log in one after the other is refused", i)
		}
		if p.Crowded() && i < 98 {
			t.Fatalf("crowded by %d who have logged in", i)
		}
		p.Settle(office)
	}
	if p.Take(at("192.0.2.2")) {
		t.Error("there is a place above all")
	}
	p.GiveSettled()
	if !p.Take(at("192.0.2.2")) || p.Taken() != 100 {
		t.Errorf("the place that is free is not given; %d are taken", p.Taken())
	}
}

func TestThereIsAlwaysAPlaceForOneMoreSource(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		p := NewPool(rapid.IntRange(2, 300).Draw(r, "size"))
		held := map[byte]int{}
		for _, s := range rapid.SliceOf(rapid.ByteRange(1, 5)).Draw(r, "taken by") {
			for range rapid.IntRange(0, 200).Draw(r, "times") {
				if p.Take(Of(netip.AddrFrom4([4]byte{10, 0, 0, s}))) {
					held[s]++
				}
			}
			if held[s] > 0 && rapid.Bool().Draw(r, "give") {
				p.Give(Of(netip.AddrFrom4([4]byte{10, 0, 0, s})))
				held[s]--
			}
		}
		total, most := 0, 0
		for _, n := range held {
			total, most = total+n, max(most, n)
		}
		if free := p.size - total; p.Taken() != total || free > 0 && !p.Take(at("192.0.2.1")) || most > p.size/2+1 {
			r.Errorf("%v of %d are taken, and there is no place for another source", held, p.size)
		}
	})
}

func TestAddressesOfOneMachineAreOneSource(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"192.0.2.1", "::ffff:192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"2001:db8::1", "2001:db8::ffff:2", true},
		{"2001:db8::1", "2001:db8:0:1::1", false},
		{"fe80::1%eth0", "fe80::1", true},
	} {
		if (at(c.a) == at(c.b)) != c.same {
			t.Errorf("%s and %s are one source: %v, want %v", c.a, c.b, !c.same, c.same)
		}
	}
	if Of(netip.Addr{}) != (Source{}) {
		t.Error("no address is not the zero source")
	}
}
