package directory

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/peerpb"
	"github.com/parley-im/parley/storage"
)

// outgoing is an envelope in the making.
type outgoing struct{ peerpb.Envelope }

// envelope packs a message; its Type is 0 when it cannot travel.
func envelope(message any, sender *actor.PID) *outgoing {
	e := &outgoing{}
	m, ok := message.(actorpb.Message)
	number := actorpb.Number(message)
	if !ok || number == 0 {
		return e
	}
	body, err := m.MarshalVT()
	if err != nil {
		panic("directory: a message of our own does not encode: " + err.Error())
	}
	e.Type, e.Body, e.Request = number, body, actorpb.RequestOf(message)
	if sender != nil {
		e.Sender = sender.Id
	}
	return e
}

func (e *outgoing) to(id Identity) *outgoing {
	e.Identity = &peerpb.Identity{Kind: uint32(id.Kind), AppId: uint32(id.App), Chat: uint32(id.Chat), Id: []byte(id.ID), Shard: uint32(id.Number)}
	return e
}

func (e *outgoing) toProcess(id string) *outgoing {
	e.Process = id
	return e
}

func (e *outgoing) onlyLive() *outgoing {
	e.Live = true
	return e
}

func (e *outgoing) message() *peerpb.Message {
	return &peerpb.Message{Kind: peerpb.Kind_KIND_ACTOR, Envelope: &e.Envelope}
}

func identity(id *peerpb.Identity) Identity {
	return Identity{Kind: Kind(id.Kind), App: chat.AppID(id.AppId), Chat: chat.Kind(id.Chat), ID: string(id.Id), Number: storage.ShardID(id.Shard)}
}
