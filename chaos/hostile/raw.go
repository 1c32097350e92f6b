package hostile

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/parley-im/parley/transport/wire"
)

// raw is a connection on which anything may be said.
type raw struct {
	net.Conn
	in  *bufio.Reader
	got int // the last answer: of HTTP, an error frame, a close frame
}

// The parts of a WebSocket frame's first two bytes.
const (
	final      = 0x80
	reserved1  = 0x40
	opContinue = 0x0
	opText     = 0x1
	opBinary   = 0x2
	opUnknown  = 0x3
	opClose    = 0x8
	opPing     = 0x9
	masked     = 0x80
	lengthIn16 = 126
	lengthIn64 = 127
)

// connect opens a TCP connection that ends with ctx or when it was answered too
// late.
func connect(ctx context.Context, addr string) (*raw, error) {
	var d net.Dialer
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	c, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	_ = c.SetDeadline(time.Now().Add(answerTime))
	return &raw{Conn: c, in: bufio.NewReader(c)}, nil
}

// ask sends a request for a WebSocket, with headers changed, and gives the
// answer's status.
func (c *raw) ask(change map[string]string) (status int, err error) {
	header := map[string]string{
		"Host": c.RemoteAddr().String(), "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
		"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol": wire.SubprotocolProto,
	}
	text := "GET /ws HTTP/1.1\r\n"
	for name, value := range change {
		header[name] = value
	}
	for name, value := range header {
		if value != "" {
			text += name + ": " + value + "\r\n"
		}
	}
	if _, err := io.WriteString(c, text+"\r\n"); err != nil {
		return 0, err
	}
	answer, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return 0, err
	}
	_ = answer.Body.Close() // of a 101 there is none
	c.got = answer.StatusCode
	return answer.StatusCode, nil
}

// errTurnedAway says that there is no socket; the status is in raw.got.
var errTurnedAway = errors.New("no socket was opened")

// open asks for a socket of a subprotocol.
func (c *raw) open(subprotocol string) error {
	status, err := c.ask(map[string]string{"Sec-WebSocket-Protocol": subprotocol})
	if err == nil && status != http.StatusSwitchingProtocols {
		err = errTurnedAway
	}
	c.got = status
	if err == nil {
		c.got = 0
	}
	return err
}

// say sends a frame with a payload that is masked with zeros.
func (c *raw) say(first byte, payload []byte) error {
	return c.sayAs(first, masked, uint64(len(payload)), payload)
}

// sayAs sends a frame that claims a length.
func (c *raw) sayAs(first, mask byte, length uint64, payload []byte) error {
	b := []byte{first}
	switch {
	case length < lengthIn16:
		b = append(b, mask|byte(length))
	case length < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, mask|lengthIn16), uint16(length))
	default:
		b = binary.BigEndian.AppendUint64(append(b, mask|lengthIn64), length)
	}
	if mask != 0 {
		b = append(b, 0, 0, 0, 0)
	}
	_, err := c.Write(append(b, payload...))
	return err
}

// listen reads until the connection ends; got is then the code of the close
// frame, of the last error without one, and 0 without either.
func (c *raw) listen() error {
	for {
		var head [2]byte
		if _, err := io.ReadFull(c.in, head[:]); err != nil {
			return err
		}
		size, extra := uint64(head[1]), 0
		switch size {
		case lengthIn16:
			extra = 2
		case lengthIn64:
			extra = 8
		}
		if extra > 0 {
			var long [8]byte
			if _, err := io.ReadFull(c.in, long[8-extra:]); err != nil {
				return err
			}
			size = binary.BigEndian.Uint64(long[:])
		}
		if size > 1<<20 {
			return fmt.Errorf("a frame of %d bytes", size)
		}
		payload := make([]byte, size)
		if _, err := io.ReadFull(c.in, payload); err != nil {
			return err
		}
		switch head[0] &^ final {
		case opClose:
			if len(payload) >= 2 {
				c.got = int(binary.BigEndian.Uint16(payload))
			}
			return nil
		case opBinary:
			if f, err := (wire.Proto{}).DecodeServer(payload); err == nil && f.GetError() != nil {
				c.got = int(f.GetError().GetCode())
			}
		}
	}
}
