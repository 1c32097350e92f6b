package actorpb

import "reflect"

// Message is what actors say to each other across nodes.
type Message interface {
	MarshalVT() ([]byte, error)
	UnmarshalVT([]byte) error
}

// Version is that of the table below and of the messages in it. It grows with
// every change that an older release would misread.
const Version = 1

// table gives each message its number on the wire, which is never reused.
var table = map[uint32]Message{
	1: (*Refused)(nil), 2: (*Append)(nil), 3: (*Appended)(nil), 4: (*Fetch)(nil), 5: (*Fetched)(nil), 6: (*Deliver)(nil),
	7: (*Attach)(nil), 8: (*Attached)(nil), 9: (*Detach)(nil), 10: (*Kick)(nil), 11: (*List)(nil), 12: (*Listed)(nil),
	13: (*MarkRead)(nil), 14: (*MarkedRead)(nil), 15: (*Look)(nil), 16: (*Seen)(nil), 17: (*DeliverThrough)(nil), 18: (*DeliveredThrough)(nil),
	19: (*TakeEffects)(nil), 20: (*EffectsTaken)(nil), 21: (*Leading)(nil), 22: (*Dropped)(nil), 23: (*Registered)(nil),
	24: (*Reshape)(nil), 25: (*Reshaped)(nil), 26: (*TransferLeader)(nil), 27: (*Administer)(nil), 28: (*Administered)(nil), 29: (*Enroll)(nil), 30: (*Enrolled)(nil),
}

var numbers = func() map[reflect.Type]uint32 {
	out := make(map[reflect.Type]uint32, len(table))
	for n, m := range table {
		out[reflect.TypeOf(m)] = n
	}
	return out
}()

// Number is a message's number; 0 for what stays on its node.
func Number(message any) uint32 { return numbers[reflect.TypeOf(message)] }

// New makes an empty message of a number, nil when this release has none.
func New(number uint32) Message {
	m, ok := table[number]
	if !ok {
		return nil
	}
	return reflect.New(reflect.TypeOf(m).Elem()).Interface().(Message)
}

// RequestOf is the number by which the asker knows a message's answer; 0 when
// it wants none, or is none.
func RequestOf(message any) uint32 {
	if m, ok := message.(interface{ GetRequest() uint32 }); ok {
		return m.GetRequest()
	}
	return 0
}
