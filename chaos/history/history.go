// Package history is the record of a chaos run: one JSON object per line, in
// the order of one monotonic clock, from which chaos/check tells whether the
// engine kept its promises and chaos/report draws what happened. A driver
// writes it; nothing here judges it.
//
// # Clock
//
// Writer.Record stamps At, so that the file is ordered by it. Record a send
// before the call leaves, and outcomes after the call has returned: the time
// between the two then holds the moment at which the engine did it. Reads are
// one event, recorded after the return, with Call from Writer.Now before it.
//
// # Names
//
// A login is what one client.Dial makes: App, User and Device name it, and a
// further login event of the same names begins a new one; record the logout of
// the old one before dialling. Conversation is what Peer gives. An Op number
// joins the events of one call and is used for one call only; attempts of one
// message share the Cmid, not the Op.
//
// # One message
//
// send, then exactly one of ok, fail, unknown. fail is for calls of which no
// attempt can have had an effect; whatever may have reached the engine and was
// not answered is unknown, also when a later attempt of the same call was
// refused.
//
// # End of a run
//
// Heal everything, wait until all devices are at their heads or DeliverWithin
// has passed, record final, then what the lists say (unread), then for every
// node that is to hold a conversation a replica event and its log events.
package history

import "github.com/parley-im/parley/chat"

// Kind says what an event tells, and which fields it has.
type Kind string

// The kinds. Fields in brackets may be missing. All events of users have App
// and User.
const (
	// KindConfig is the first line: Config.
	KindConfig Kind = "config"

	// KindLogin: Device has logged in. Node, Call. Only messages sent after it are
	// owed to the device.
	KindLogin Kind = "login"
	// KindLogout: Device is no longer online, by itself, kicked or expired. [Code]
	KindLogout Kind = "logout"
	// KindToken: Device's token, from here on, ends at Expires; Never is one that is
	// forged, another's, or of the past.
	KindToken Kind = "token"
	// KindRevoked: all tokens of User that were given before are void.
	KindRevoked Kind = "revoked"
	// KindRefused: something other than a send was refused. Call, Code, [Want,
	// Device, Node, Op, Conversation, Text]
	KindRefused Kind = "refused"
	// KindRebuffed: a connection that broke the protocol in the way of Text got
	// Code, the number of an error, of a close frame or of HTTP, or 0 for none in
	// time, and was to get Want. It has no User. Node
	KindRebuffed Kind = "rebuffed"

	// KindSend: Device calls send. Op, Conversation, Cmid, IssuedAt, [Digest, Node]
	KindSend Kind = "send"
	// KindOK: acknowledged. Op, Seq, [Node, Shard]
	KindOK Kind = "ok"
	// KindFail: refused, nothing was done. Op, Code, [Text]
	KindFail Kind = "fail"
	// KindUnknown: nobody can say whether it was done. Op, [Code, Text]
	KindUnknown Kind = "unknown"

	// KindRecv: the app's callback got a message. Device, Conversation, Seq, Cmid,
	// Sender, [Digest, Canary]
	KindRecv Kind = "recv"
	// KindFetched: one message of a page of history, in the page's order. Op,
	// Device, Conversation, Seq, Cmid, Sender, [Digest, Canary, Node]
	KindFetched Kind = "fetched"
	// KindHead: a read told that the conversation's last seq is Seq. It follows the
	// page's fetched events, if it was a page; First and Last are then the range
	// that the page claims to cover. Op, Call, Device, Conversation, [Node]
	KindHead Kind = "head"
	// KindUnread: the list told Seq (head), Read and Unread. Call, Device,
	// Conversation, [Node]
	KindUnread Kind = "unread"
	// KindMarked: the conversation was marked as read up to Seq. Call, Device,
	// Conversation, [Node]
	KindMarked Kind = "marked"

	// KindFault: a fault is about to be made. Op, Fault, [Node, Text]
	KindFault Kind = "fault"
	// KindEffect: it was seen to have taken effect. Op, Text (the evidence)
	KindEffect Kind = "effect"
	// KindHeal: its undoing begins. Op
	KindHeal Kind = "heal"
	// KindHealed: it is undone, or the cluster is meant to do without what it took;
	// DeliverWithin and AvailableWithin count from here once no fault is left. Op
	KindHealed Kind = "healed"
	// KindNote is for readers only: Text, [Node].
	KindNote Kind = "note"

	// KindFinal: the workload has ended, every fault is healed.
	KindFinal Kind = "final"
	// KindReplica: Node is to hold Conversation's log, above Base. [Base, Seq (the
	// head that it claims), Shard]
	KindReplica Kind = "replica"
	// KindLog: one entry of Node's log of Conversation, ascending. Seq, Cmid,
	// Sender, [Hash, Digest]
	KindLog Kind = "log"
)

// Never is the end of a token that was never good.
const Never = -1

// Event is one line. Times are nanoseconds of the run's clock unless said.
type Event struct {
	At   int64  `json:"at"`
	Kind Kind   `json:"kind"`
	Op   uint64 `json:"op,omitempty"`
	// Call is when the call was made that this event is the outcome of.
	Call int64 `json:"call,omitempty"`

	App          chat.AppID `json:"app,omitempty"`
	User         string     `json:"user,omitempty"`
	Device       string     `json:"device,omitempty"`
	Conversation string     `json:"conv,omitempty"`

	Cmid     string `json:"cmid,omitempty"`   // client message id, 32 hex digits
	IssuedAt int64  `json:"issued,omitempty"` // ms, server's time
	Sender   string `json:"sender,omitempty"`
	Seq      uint64 `json:"seq,omitempty"`
	First    uint64 `json:"first,omitempty"`
	Last     uint64 `json:"last,omitempty"`
	Base     uint64 `json:"base,omitempty"`
	Read     uint64 `json:"read,omitempty"`
	Unread   uint64 `json:"unread,omitempty"`

	// Digest is any hash of the content, the same way everywhere; Hash is the log's
	// running hash. Both hex.
	Digest string `json:"digest,omitempty"`
	Hash   string `json:"hash,omitempty"`
	// Canary is the app whose canary stands in the content.
	Canary chat.AppID `json:"canary,omitempty"`
	Code   chat.Code  `json:"code,omitempty"`
	// Want, unless 0, is the only Code that is right, but for one that says try
	// again.
	Want    chat.Code `json:"want,omitempty"`
	Expires int64     `json:"expires,omitempty"`

	// Node is who served the call, who suffers the fault, or whose log it is.
	Node  string `json:"node,omitempty"`
	Shard uint16 `json:"shard,omitempty"`
	// Fault is the kind of fault, such as "kill" or "pause".
	Fault  string  `json:"fault,omitempty"`
	Text   string  `json:"text,omitempty"`
	Config *Config `json:"config,omitempty"`
}

// Config says what was run, so that it can be run again, and what was promised.
type Config struct {
	Seed     uint64   `json:"seed"`
	Revision string   `json:"revision"`
	Nodes    []string `json:"nodes"`
	// Command runs it again.
	Command string            `json:"command,omitempty"`
	Options map[string]string `json:"options,omitempty"`
	// DeliverWithin bounds the time to delivery after healing, AvailableWithin that
	// until every conversation takes sends. Nanoseconds.
	DeliverWithin   int64 `json:"deliver_within"`
	AvailableWithin int64 `json:"available_within"`
}
