package workload

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/parley-im/parley/chaos/history"
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/client"
)

// message is one that a user wants to have sent, whatever it takes.
type message struct {
	peer   string
	conv   string
	id     chat.ClientMessageID
	issued bool
	body   []byte
}

// canaryPrefix begins every body; the app's number and a space follow.
const canaryPrefix = "canary-"

// compose makes a message; it is issued when it is first sent.
func (a *actor) compose(user, peer string) *message {
	m := &message{peer: peer, conv: history.Peer(user, peer)}
	for i := range m.id { // from the seed
		m.id[i] = byte(a.rng.Uint32())
	}
	m.body = fmt.Appendf(nil, "%s%d %s", canaryPrefix, a.app.ID, strings.Repeat("x", a.rng.IntN(200)))
	return m
}

// canary reads the app's number in a body; 0 when there is none.
func canary(body []byte) chat.AppID {
	text, ok := strings.CutPrefix(string(body), canaryPrefix)
	if !ok {
		return 0
	}
	number, _, _ := strings.Cut(text, " ")
	n, _ := strconv.ParseUint(number, 10, 32)
	return chat.AppID(n)
}

func digest(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:8])
}

func hexID(id chat.ClientMessageID) string { return hex.EncodeToString(id[:]) }

// send makes one call and records it.
func (d *device) send(m *message, within time.Duration) error {
	ctx, cancel := context.WithTimeout(d.w.ctx, within)
	defer cancel()
	if !m.issued {
		m.id.SetIssuedAt(d.client.ServerTime().UnixMilli())
		m.issued = true
	}
	op := d.w.op()
	e := d.event(history.KindSend)
	e.Op, e.Conversation, e.Cmid, e.IssuedAt, e.Digest = op, m.conv, hexID(m.id), m.id.IssuedAt(), digest(m.body)
	sent := d.w.record(e)
	d.w.acked(place{d.app.ID, m.conv}, head{})
	ack, err := d.client.Send(ctx, client.SendRequest{
		Peer: m.peer, ClientMessageID: m.id, Message: chat.Message{Type: chat.TypeText, Body: m.body},
	})
	e = d.event(history.KindOK)
	e.Op = op
	switch code := chat.CodeOf(err); {
	case err == nil:
		e.Seq = ack.Seq
		d.w.counts.acked.Add(1)
		d.saw(m.conv, ack.Seq)
		d.w.acked(place{d.app.ID, m.conv}, head{ack.Seq, sent, d})
	case code == chat.CodeTimeout:
		e.Kind, e.Code, e.Text = history.KindUnknown, code, err.Error()
		d.w.counts.unknown.Add(1)
	default:
		e.Kind, e.Code, e.Text = history.KindFail, code, err.Error()
		d.w.counts.refused.Add(1)
	}
	d.w.record(e)
	return err
}

// acked notes a conversation, and an acknowledgement in it unless h is zero.
func (w *Workload) acked(at place, h head) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if before, known := w.heads[at]; !known || before.seq < h.seq {
		w.heads[at] = h
	}
}

// again says whether a user would try once more.
func again(err error) bool { return chat.CodeOf(err).Retryable() }

// through sends a message over a device that stays, again and again until its
// outcome is known or the talk is over; false when the device is done for.
func (a *actor) through(d *device, m *message) bool {
	for {
		err := d.send(m, sendTimeout)
		if err == nil {
			return true
		}
		if !again(err) {
			return chat.CodeOf(err) != chat.CodeNotLoggedIn
		}
		if !a.pause(100 * time.Millisecond) {
			return false
		}
	}
}
