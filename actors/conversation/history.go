package conversation

import (
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/ask"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/storage"
)

// Bounds of a page. A page that would have more bytes is cut short; it always
// holds one message.
const (
	maxPage      = 100
	maxPageBytes = 512 << 10
)

// query reads a page and answers from the reader's goroutine: it needs nothing
// of the actor.
func (c *conversation) query(call *ask.Call, h *wirepb.QueryMessages) (*wirepb.QueryMessagesReply, error) {
	if h.Count < 1 || h.Count > maxPage {
		return nil, chat.Errorf(chat.CodeInvalidParam, "history", "count is %d; 1 to %d are allowed", h.Count, maxPage)
	}
	read(c, call, func(v storage.View) (*wirepb.QueryMessagesReply, error) { return readPage(v, c.key, h) })
	return nil, nil
}

// read answers a call with what a view shows.
func read[R actorpb.Reply](c *conversation, call *ask.Call, page func(storage.View) (R, error)) {
	by := storage.Asker{Class: storage.Client, ID: call.Source(), Gone: c.act.Directory.Left(call.From())}
	var found R
	c.o.Replicator.Read(c.act.Shard, by, func(v storage.View) (err error) {
		found, err = page(v)
		return err
	}, func(err error) {
		if err != nil {
			call.Refuse(err)
			return
		}
		call.Answer(found)
	})
}

// readPage reads (after, before) or one end of it, and says what it covers.
func readPage(v storage.View, key chat.ConversationKey, h *wirepb.QueryMessages) (*wirepb.QueryMessagesReply, error) {
	head, _, err := v.Head(key)
	if err != nil {
		return nil, err
	}
	page := &wirepb.QueryMessagesReply{HeadSeq: head.Seq, HeadRev: head.Rev}
	first, last := h.AfterSeq+1, head.Seq
	if h.BeforeSeq != 0 && h.BeforeSeq <= head.Seq {
		last = h.BeforeSeq - 1
	}
	if h.AfterSeq >= last {
		return page, nil
	}
	entries, err := v.Entries(key, first-1, last+1, int(h.Count), h.NewestFirst)
	if err != nil {
		return nil, err
	}
	full := len(entries) == int(h.Count)
	kept := trim(entries, h.NewestFirst, pageBytes(h))
	full = full || len(kept) < len(entries)
	page.FirstSeq, page.LastSeq = first, last
	if full && h.NewestFirst {
		page.FirstSeq = kept[0].Seq
	} else if full {
		page.LastSeq = kept[len(kept)-1].Seq
	}
	for i := range kept {
		page.Messages = append(page.Messages, wirepb.FromEntry(key, &kept[i]))
	}
	return page, nil
}

// pageBytes is what the client asked for, within the node's own limit.
func pageBytes(h *wirepb.QueryMessages) int {
	if h.MaxBytes == 0 || h.MaxBytes > maxPageBytes {
		return maxPageBytes
	}
	return int(h.MaxBytes)
}

// trim keeps as many entries as fit the bytes, from the end that was asked for.
func trim(entries []chat.Entry, newest bool, limit int) []chat.Entry {
	bytes := 0
	for n := range entries {
		i := n
		if newest {
			i = len(entries) - 1 - n
		}
		bytes += len(entries[i].Content) + 256
		if n > 0 && bytes > limit {
			if newest {
				return entries[i+1:]
			}
			return entries[:i]
		}
	}
	return entries
}
