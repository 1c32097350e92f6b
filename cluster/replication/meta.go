package replication

import (
	"context"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/logpb"
	"github.com/parley-im/parley/storage"
)

// MaxMeta bounds the meta shard's document, in bytes.
const MaxMeta = 256 << 10

// Meta reads the meta shard's document on the node that leads the shard: at
// least as new as everything that was set before the call. CodeUnavailable when
// this node does not lead it.
func (h *Host) Meta(ctx context.Context) (storage.Document, error) {
	out := make(chan answered[storage.Document], 1)
	var d storage.Document
	h.Read(storage.MetaShard, storage.Asker{Class: storage.Cluster, ID: "placement"}, func(v storage.View) (err error) {
		d, err = v.Document()
		return err
	}, func(err error) { out <- answered[storage.Document]{d, err} })
	select {
	case a := <-out:
		return a.value, a.err
	case <-ctx.Done():
		return storage.Document{}, ctx.Err()
	}
}

// SetMeta replaces the meta shard's document, on the node that leads the shard,
// if its version is still expect; it then has the next one. storage.ErrConflict
// when it is not; CodeUnavailable and CodeBusy when nothing was done for another
// reason; CodeTimeout when the outcome is unknown, also as ctx ended.
func (h *Host) SetMeta(ctx context.Context, expect uint64, document []byte) error {
	if len(document) > MaxMeta {
		return chat.Errorf(chat.CodeInvalidParam, "set the meta document", "it has %d bytes, allowed are %d", len(document), MaxMeta)
	}
	term, err := h.Leader(storage.MetaShard)
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	p := h.proposal(storage.MetaShard, term, func(_ storage.Outcome, err error) { done <- err })
	set := &logpb.Proposal{
		Version: p.Version, TimeMs: p.Time, Origin: h.origin, Number: p.Number, Document: &logpb.SetDocument{Expect: expect, Content: document},
	}
	if p.Data, err = set.MarshalVT(); err == nil {
		err = h.enqueue(p)
	}
	if err != nil {
		return err
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return chat.Errorf(chat.CodeTimeout, "set the meta document", "the outcome is unknown: %w", ctx.Err())
	}
}
