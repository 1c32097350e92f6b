package ws

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// raw opens a socket by hand, so that anything may be said on it.
func (c *crowd) raw() (net.Conn, *bufio.Reader) {
	c.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(c.url, "http://"))
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nFrom: 10.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: test\r\n\r\n")
	in := bufio.NewReader(conn)
	if answer, err := http.ReadResponse(in, nil); err != nil || answer.StatusCode != http.StatusSwitchingProtocols {
		c.t.Fatal(answer, err)
	}
	return conn, in
}

// claiming is the header of a frame, with a mask of zeros, that claims a length
// in eight bytes.
func claiming(first byte, length uint64) []byte {
	return append(binary.BigEndian.AppendUint64([]byte{first, 0x80 | 127}, length), 0, 0, 0, 0)
}

func TestNoClaimedLengthEndsTheServer(t *testing.T) {
	c := newCrowd(t, 100)
	for _, first := range []byte{0x80 | opText, opText, 0x80 | opBinary, 0x80, opBinary, 0x80 | opClose, 0x80 | 0x9} {
		for _, length := range []uint64{1<<11 + 1, 1 << 31, 1<<32 - 1, 1 << 62, 1<<63 - 1, 1 << 63, 1<<63 + 1, 1<<64 - 5, 1<<64 - 4, 1<<64 - 1} {
			conn, in := c.raw()
			_, _ = conn.Write(claiming(first, length))
			var close [4]byte
			if _, err := io.ReadFull(in, close[:]); err != nil || close[0] != 0x80|opClose {
				t.Fatalf("a frame %#x of %#x bytes: % x, %v", first, length, close, err)
			}
			want := uint16(1009)
			if length >= 1<<63 {
				want = 1002
			}
			if code := binary.BigEndian.Uint16(close[2:]); code != want {
				t.Errorf("a frame %#x of %#x bytes is closed with %d, want %d", first, length, code, want)
			}
			_ = conn.Close()
		}
	}
}

func TestLengthsAreSeenWhereverTheBytesAreCut(t *testing.T) {
	var good []byte
	for _, n := range []int{0, 1, 125, 126, 127, 1<<16 - 1, 1 << 16, 70000} {
		payload := bytes.Repeat([]byte{0xFF}, n) // looks like an impossible frame
		masked := append(appendFrame(nil, opText, payload)[:headerBytes(n)], 0, 0, 0, 0)
		masked[1] |= 0x80
		good = append(append(good, masked...), payload...)
		good = appendFrame(good, opBinary, payload)
	}
	good = append(good, append(claiming(0x82, 3), 0xFF, 0xFF, 0xFF)...)
	bad := claiming(0x82, 1<<63)[:10]
	for name, cut := range map[string]func(io.Reader) io.Reader{"whole": func(r io.Reader) io.Reader { return r }, "halves": iotest.HalfReader, "bytes": iotest.OneByteReader} {
		var l lengths
		buf, in := make([]byte, 4096), cut(bytes.NewReader(good))
		for {
			n, err := in.Read(buf)
			if l.impossible(buf[:n]) {
				t.Fatalf("%s: a good frame is impossible", name)
			}
			if err != nil {
				break
			}
		}
		for i := range bad {
			if got := l.impossible(bad[i : i+1]); got != (i == len(bad)-1) {
				t.Fatalf("%s: impossible is %v after %d bytes", name, got, i+1)
			}
		}
	}
}

// headerBytes is the size of the header of an unmasked frame.
func headerBytes(n int) int { return len(appendFrame(nil, opText, make([]byte, n))) - n }
