package session

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/directory"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/logpb"
	"github.com/parley-im/parley/storage"
)

// headReading reads the heads of some rows of a table from their shards, a few
// looks at a time.
type headReading struct {
	table  *table
	todo   []*headLook
	looks  int // under way
	err    error
	wanted func() bool // somebody waits for it still
	done   func(actor.Context, error)
}

// headLook is what one shard is asked: the heads of rows.
type headLook struct {
	reading *headReading
	shard   storage.ShardID
	rows    []uint32
}

// errUnwanted ends what nobody waits for any more.
var errUnwanted = chat.Errorf(chat.CodeUnavailable, "list conversations", "whoever asked has gone")

// readHeads calls done when the table has the heads of the rows, or with an error.
func (s *session) readHeads(ctx actor.Context, t *table, rows []uint32, wanted func() bool, done func(actor.Context, error)) {
	h := &headReading{table: t, wanted: wanted, done: done}
	of := make(map[storage.ShardID]*headLook)
	for _, i := range rows {
		shard := storage.ConversationShard(s.o.Replicator.Shards(), t.rows[i].key)
		look := of[shard]
		if look == nil || len(look.rows) == maxLookedAt {
			look = &headLook{reading: h, shard: shard}
			of[shard] = look
			h.todo = append(h.todo, look)
		}
		look.rows = append(look.rows, i)
	}
	h.next(s, ctx)
}

// next asks further shards, or ends.
func (h *headReading) next(s *session, ctx actor.Context) {
	for h.err == nil && len(h.todo) > 0 && h.looks < maxLooks {
		if !h.wanted() {
			h.err = errUnwanted
			break
		}
		look := h.todo[0]
		h.todo = h.todo[1:]
		if h.err = s.ask(ctx, look.shard, look, look.message(s)); h.err == nil {
			h.looks++
		}
	}
	if h.looks == 0 {
		h.done(ctx, h.err)
	}
}

func (k *headLook) message(s *session) *actorpb.Look {
	m := &actorpb.Look{AppId: uint32(s.user.App), HeadsOnly: true, Conversations: make([]*logpb.ConversationKey, 0, len(k.rows))}
	for _, i := range k.rows {
		m.Conversations = append(m.Conversations, logpb.FromKey(k.reading.table.rows[i].key))
	}
	return m
}

// answer implements question.
func (k *headLook) answer(s *session, ctx actor.Context, m *actorpb.Seen) {
	h := k.reading
	h.looks--
	if len(m.Heads) != len(k.rows) {
		h.err = errMisread
	} else {
		for n, i := range k.rows {
			head := m.Heads[n].GetHead().Chat()
			h.table.head(h.table.rows[i].key, directory.HeadOf(&head))
		}
	}
	h.next(s, ctx)
}

// fail implements question.
func (k *headLook) fail(s *session, ctx actor.Context, err error) {
	k.reading.looks--
	k.reading.err = err
	k.reading.next(s, ctx)
}

func (*headLook) stop(*session) {} // the requests that wait are refused together
