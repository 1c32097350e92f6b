package hostile

import (
	"bytes"
	"context"
	"io"
	"net/http"

	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/transport/wire"
)

// attack is one way of breaking the protocol, and the number of the answer: of
// HTTP or of a close frame, see docs/protocol.md and RFC 6455, 7.4.
type attack struct {
	name string
	want int
	// do is what is said on a socket, or instead of asking for one.
	asks bool
	json bool
	do   func(c *raw) error
}

// The close codes that are due.
const (
	closeProtocol  = 1002
	closeUnfit     = 1003
	closeTooBig    = 1009
	closeMalformed = 4400
	closeRefused   = 4401
	closeNoHello   = 4408
)

const (
	tooLong      = 70 << 10 // more than any frame may have
	tooLongFirst = 20 << 10 // more than a first one may
)

var attacks = []attack{
	{name: "a handshake without upgrade", want: http.StatusBadRequest, asks: true, do: asking("Upgrade", "")},
	{name: "a handshake without key", want: http.StatusBadRequest, asks: true, do: asking("Sec-WebSocket-Key", "")},
	{name: "a handshake of another version", want: http.StatusBadRequest, asks: true, do: asking("Sec-WebSocket-Version", "7")},
	{name: "a handshake for another subprotocol", want: http.StatusBadRequest, asks: true, do: asking("Sec-WebSocket-Protocol", "parley.v9")},
	{name: "a handshake from another origin", want: http.StatusForbidden, asks: true, do: asking("Origin", "https://evil.example.com")},
	{name: "no HTTP at all", want: http.StatusBadRequest, asks: true, do: func(c *raw) error {
		if _, err := c.Write(append(bytes.Repeat([]byte{0xff, 0}, 200), "\r\n\r\n"...)); err != nil {
			return err
		}
		answer, err := http.ReadResponse(c.in, nil)
		if err == nil {
			c.got = answer.StatusCode
			_ = answer.Body.Close()
		}
		return err
	}},
	{name: "half a handshake", want: 0, asks: true, do: func(c *raw) error {
		_, err := io.WriteString(c, "GET /ws HTTP/1.1\r\nHost: x\r\nUpgr")
		return err // and nobody waits for an answer
	}},

	{name: "no hello", want: closeNoHello, do: func(*raw) error { return nil }},
	{name: "half a message", want: closeNoHello, do: func(c *raw) error { return c.say(opBinary, []byte{8, 1}) }},
	{name: "garbage", want: closeMalformed, do: message(0xff, 0xff, 0xff)},
	{name: "an empty message", want: closeMalformed, do: message()},
	{name: "garbage as JSON", want: closeMalformed, json: true, do: func(c *raw) error { return c.say(final|opText, []byte(`{"id":`)) }},
	{name: "bad UTF-8 in a field", want: closeMalformed, do: message(8, 1, 18, 3, 26, 1, 0xff)},
	{name: "a long first message", want: closeMalformed, do: message(bytes.Repeat([]byte("x"), tooLongFirst)...)},
	{name: "a message that is too long", want: closeTooBig, do: message(bytes.Repeat([]byte("x"), tooLong)...)},
	{name: "a message that says it is endless", want: closeTooBig, do: func(c *raw) error {
		return c.sayAs(final|opBinary, masked, 1<<62, []byte("x"))
	}},
	{name: "text instead of binary", want: closeUnfit, do: func(c *raw) error { return c.say(final|opText, []byte("hello")) }},
	{name: "binary instead of text", want: closeUnfit, json: true, do: message(8, 1)},
	{name: "a request before hello", want: closeMalformed, do: saying(&wirepb.ClientFrame{Id: 1, Body: &wirepb.ClientFrame_Ping{Ping: &wirepb.Ping{}}})},
	{name: "a hello of another protocol", want: closeRefused, do: saying(&wirepb.ClientFrame{Id: 1, Body: &wirepb.ClientFrame_Hello{Hello: &wirepb.Hello{
		ProtocolVersion: 99, AppId: 1, UserId: "x", DeviceId: "d",
	}}})},
	{name: "a hello of nobody", want: closeRefused, do: saying(&wirepb.ClientFrame{Id: 1, Body: &wirepb.ClientFrame_Hello{Hello: &wirepb.Hello{
		ProtocolVersion: wire.ProtocolVersion,
	}}})},

	{name: "a frame of a length below 0 as an int", want: closeProtocol, do: func(c *raw) error {
		return c.sayAs(final|opBinary, masked, 1<<63+1, []byte("x"))
	}},
	{name: "a frame that is not masked", want: closeProtocol, do: func(c *raw) error { return c.sayAs(final|opBinary, 0, 2, []byte{8, 1}) }},
	{name: "a frame of an unknown kind", want: closeProtocol, do: func(c *raw) error { return c.say(final|opUnknown, []byte{8, 1}) }},
	{name: "a frame with a reserved bit", want: closeProtocol, do: func(c *raw) error { return c.say(final|reserved1|opBinary, []byte{8, 1}) }},
	{name: "a ping in pieces", want: closeProtocol, do: func(c *raw) error { return c.say(opPing, []byte("x")) }},
	{name: "a ping that is too long", want: closeProtocol, do: func(c *raw) error { return c.say(final|opPing, bytes.Repeat([]byte("x"), 126)) }},
	{name: "the end of nothing", want: closeProtocol, do: func(c *raw) error { return c.say(final|opContinue, []byte{8, 1}) }},
}

// asking makes a handshake with one header that is not as it is to be.
func asking(header, value string) func(*raw) error {
	return func(c *raw) error {
		_, err := c.ask(map[string]string{header: value})
		return err
	}
}

// message says one message.
func message(payload ...byte) func(*raw) error {
	return func(c *raw) error { return c.say(final|opBinary, payload) }
}

// saying says one frame that is well formed.
func saying(f *wirepb.ClientFrame) func(*raw) error {
	return func(c *raw) error {
		data, err := wire.Proto{}.EncodeClient(f)
		if err != nil {
			return err
		}
		return c.say(final|opBinary, data)
	}
}

// make makes the attack on an address and gives the number of the answer, 0 for
// none.
func (a attack) make(ctx context.Context, addr string) (got int) {
	c, err := connect(ctx, addr)
	if err != nil {
		return 0
	}
	defer c.Close()
	if a.asks {
		_ = a.do(c) // what it came to is in c.got
		return c.got
	}
	subprotocol := wire.SubprotocolProto
	if a.json {
		subprotocol = wire.SubprotocolJSON
	}
	if c.open(subprotocol) != nil {
		return c.got
	}
	if a.do(c) != nil {
		// The node may have closed before all was said; what it said may be there.
		_ = c.listen()
		return c.got
	}
	_ = c.listen()
	return c.got
}
