package workload

import (
	"context"
	"time"

	"github.com/parley-im/parley/chaos/history"
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/client"
)

// pageSize is how many messages a page of history has at most.
const pageSize = 100

// refused records that a read was.
func (d *device) refused(call int64, peer string, err error) error {
	e := d.event(history.KindRefused)
	e.Call, e.Code, e.Text = call, chat.CodeOf(err), err.Error()
	if peer != "" {
		e.Conversation = history.Peer(d.user, peer)
	}
	d.w.record(e)
	return err
}

// history reads a page and records it; last is the page's end, at most head.
func (d *device) history(r client.HistoryRequest, within time.Duration) (last, head uint64, err error) {
	ctx, cancel := context.WithTimeout(d.w.ctx, within)
	defer cancel()
	d.w.counts.reads.Add(1)
	op, call := d.w.op(), d.w.o.History.Now()
	page, err := d.client.History(ctx, r)
	if err != nil {
		return 0, 0, d.refused(call, r.Peer, err)
	}
	for _, m := range page.Messages {
		e := d.event(history.KindFetched)
		d.fill(&e, m)
		e.Op = op
		d.w.record(e)
	}
	e := d.event(history.KindHead)
	e.Op, e.Call, e.Conversation = op, call, history.Peer(d.user, r.Peer)
	e.Seq, e.First, e.Last = page.Head, page.First, page.Last
	d.w.record(e)
	return page.Last, page.Head, nil
}

// list reads the user's whole list and records it.
func (d *device) list(within time.Duration) error {
	ctx, cancel := context.WithTimeout(d.w.ctx, within)
	defer cancel()
	d.w.counts.reads.Add(1)
	r := client.ConversationsRequest{Count: pageSize}
	for {
		call := d.w.o.History.Now()
		page, err := d.client.Conversations(ctx, r)
		if err != nil {
			return d.refused(call, "", err)
		}
		for _, v := range page.Conversations {
			e := d.event(history.KindUnread)
			e.Call, e.Conversation, e.Seq, e.Read, e.Unread = call, history.Peer(d.user, v.Peer), v.Head, v.Read, v.Unread
			d.w.record(e)
		}
		if page.Complete || len(page.Conversations) == 0 {
			return nil
		}
		r.After = &page.Conversations[len(page.Conversations)-1]
	}
}

// markRead marks a conversation as read.
func (d *device) markRead(peer string, within time.Duration) error {
	ctx, cancel := context.WithTimeout(d.w.ctx, within)
	defer cancel()
	call := d.w.o.History.Now()
	seq, err := d.client.ClearUnread(ctx, peer)
	if err != nil {
		return d.refused(call, peer, err)
	}
	e := d.event(history.KindMarked)
	e.Call, e.Conversation, e.Seq = call, history.Peer(d.user, peer), seq
	d.w.record(e)
	return nil
}
