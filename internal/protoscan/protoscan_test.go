package protoscan

import (
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// FuzzNext compares with protowire's own reader.
func FuzzNext(f *testing.F) {
	all := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), 300)
	all = protowire.AppendBytes(protowire.AppendTag(all, 500, protowire.BytesType), []byte("text"))
	all = protowire.AppendFixed32(protowire.AppendTag(all, 3, protowire.Fixed32Type), 7)
	all = protowire.AppendFixed64(protowire.AppendTag(all, 4, protowire.Fixed64Type), 7)
	for n := range len(all) {
		f.Add(all[:n+1])
	}
	f.Add([]byte{0xa3, 0x06, 0xa4, 0x06})
	f.Add([]byte{0x00, 0x01})
	f.Fuzz(func(t *testing.T, b []byte) {
		for got := Over(b); len(b) > 0; {
			ok := got.Next()
			num, typ, n := protowire.ConsumeTag(b)
			want := n >= 0 && num <= protowire.MaxValidNumber && typ != protowire.StartGroupType && typ != protowire.EndGroupType
			size := 0
			if want {
				size = protowire.ConsumeFieldValue(num, typ, b[n:])
				want = size >= 0
			}
			if ok != want || got.Broken() == want {
				t.Fatalf("%x: %v, want %v", b, ok, want)
			}
			if !ok {
				return
			}
			if got.Num != num || got.Type != typ || len(got.Rest) != len(b)-n-size {
				t.Fatalf("%x: %+v and %d more", b, got, len(got.Rest))
			}
			if v, _ := protowire.ConsumeBytes(b[n:]); typ == protowire.BytesType && string(got.Bytes) != string(v) {
				t.Fatalf("%x holds %x, want %x", b, got.Bytes, v)
			}
			if v, _ := protowire.ConsumeVarint(b[n:]); typ == protowire.VarintType && got.Number != v {
				t.Fatalf("%x holds %d, want %d", b, got.Number, v)
			}
			b = got.Rest
		}
	})
}
