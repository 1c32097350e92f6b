package fleet

import (
	"bytes"
	"testing"
)

func TestOnlyTheRulesOfACutAreCounted(t *testing.T) {
	const listing = `Chain INPUT (policy ACCEPT 163 packets, 9864 bytes)
    pkts      bytes target     prot opt in     out     source               destination
      12      624 DROP       0    --  *      *       10.77.1.3            0.0.0.0/0            /* cut1 */
     200    10400 DROP       0    --  *      *       10.77.1.4            0.0.0.0/0            /* cut12 */
       3      180 DROP       0    --  *      *       10.77.1.4            0.0.0.0/0            statistic mode random probability 0.29999999981 /* cut1 */
`
	for name, want := range map[string]int{"cut1": 15, "cut12": 200, "cut2": 0} {
		if got, err := packetsOf(listing, name); got != want || err != nil {
			t.Errorf("%s hit %d packets, %v, want %d", name, got, err, want)
		}
	}
	if _, err := packetsOf("pkts /* cut1 */", "cut1"); err == nil {
		t.Error("a rule without counter is none")
	}
}

func TestAPacketsNumberIsFoundAmongItsAttributes(t *testing.T) {
	attr := func(kind uint16, value ...byte) []byte { return frame(0, 0, 0, kind, value)[headerBytes:] }
	header := attr(attrPacketHeader, 0, 0, 1, 2, 8, 0, 3)
	for name, c := range map[string]struct {
		attrs []byte
		found bool
	}{
		"alone":         {header, true},
		"behind others": {append(attr(9, 1, 2, 3, 4, 5), header...), true},
		"missing":       {attr(9, 1, 2, 3, 4, 5), false},
		"cut off":       {header[:6], false},
		"nothing":       {nil, false},
	} {
		if n, ok := packetNumber(c.attrs); ok != c.found || ok && n != 258 {
			t.Errorf("%s: %d, %v", name, n, ok)
		}
	}
}

func TestWhatTheKernelIsToldIsAsLongAsItSays(t *testing.T) {
	for size := range 9 {
		f := frame(queueConfig, 0, 1, attrConfigParams, bytes.Repeat([]byte{7}, size))
		if int(f[0]) != len(f) || len(f)%4 != 0 || int(f[headerBytes]) != 4+size {
			t.Errorf("%d bytes: %v", size, f)
		}
	}
}
