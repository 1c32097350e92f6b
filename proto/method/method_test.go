package method

import (
	"bytes"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/methodpb"
	"github.com/parley-im/parley/proto/wirepb"
)

func TestTheTableSaysWhatTheContractSays(t *testing.T) {
	m := ByNumber(30)
	if m == nil || m.Name != "send_message" || m.Path != "SendMessage" || m.To != methodpb.To_TO_CONVERSATION || m.Kind != methodpb.Kind_KIND_WRITE ||
		m.Rate != methodpb.Rate_RATE_SEND || m.ZIM != "sendMessage" || m.Since != 1 {
		t.Fatalf("method 30 is %+v", m)
	}
	if ByPath("SendMessage") != m || ByPath("Teleport") != nil || ByNumber(29) != nil || ByNumber(1<<31) != nil {
		t.Error("methods are not found as they should be")
	}
	if _, ok := m.NewRequest().(*wirepb.SendMessage); !ok {
		t.Errorf("its request is a %T", m.NewRequest())
	}
	if _, ok := m.NewReply().(*wirepb.SendMessageReply); !ok {
		t.Errorf("its reply is a %T", m.NewReply())
	}
	for i, m := range All() {
		if ByNumber(m.Number) != m || i > 0 && All()[i-1].Number >= m.Number {
			t.Errorf("%s is not in its place", m.Name)
		}
	}
}

// frames are the contract's frames after a change of their descriptors.
func frames(t *testing.T, change func(client, server *descriptorpb.DescriptorProto)) (client, server protoreflect.MessageDescriptor) {
	t.Helper()
	file := protodesc.ToFileDescriptorProto((&wirepb.ClientFrame{}).ProtoReflect().Descriptor().ParentFile())
	file = proto.Clone(file).(*descriptorpb.FileDescriptorProto)
	change(file.MessageType[0], file.MessageType[1])
	fd, err := protodesc.NewFile(file, protoregistry.GlobalFiles)
	if err != nil {
		t.Fatal(err)
	}
	return fd.Messages().Get(0), fd.Messages().Get(1)
}

func TestAContractThatContradictsItselfIsRefused(t *testing.T) {
	fieldOf := func(m *descriptorpb.DescriptorProto, name string) *descriptorpb.FieldDescriptorProto {
		for _, f := range m.Field {
			if f.GetName() == name {
				return f
			}
		}
		t.Fatalf("there is no field %s", name)
		return nil
	}
	option := func(m *descriptorpb.DescriptorProto, name string, change func(*methodpb.Method)) {
		f := fieldOf(m, name)
		o := proto.Clone(proto.GetExtension(f.Options, methodpb.E_Method).(*methodpb.Method)).(*methodpb.Method)
		change(o)
		proto.SetExtension(f.Options, methodpb.E_Method, o)
	}
	cases := map[string]struct {
		change func(c, s *descriptorpb.DescriptorProto)
		says   string
	}{
		"no option": {func(c, _ *descriptorpb.DescriptorProto) { fieldOf(c, "ping").Options = nil }, "ping: the option"},
		"no kind": {func(c, _ *descriptorpb.DescriptorProto) {
			option(c, "ping", func(m *methodpb.Method) { m.Kind = 0 })
		}, "must say to, kind"},
		"no target": {func(c, _ *descriptorpb.DescriptorProto) {
			option(c, "list_conversations", func(m *methodpb.Method) { m.To = methodpb.To_TO_CONVERSATION })
		}, "is a ConversationRef"},
		"no group": {func(c, _ *descriptorpb.DescriptorProto) {
			option(c, "ping", func(m *methodpb.Method) { m.To = methodpb.To_TO_GROUP })
		}, "is its ID"},
		"no reply":       {func(_, s *descriptorpb.DescriptorProto) { fieldOf(s, "ping").Number = proto.Int32(450) }, "a PingReply"},
		"another name":   {func(_, s *descriptorpb.DescriptorProto) { fieldOf(s, "ping").Name = proto.String("pong") }, "a PingReply"},
		"a push's place": {func(c, _ *descriptorpb.DescriptorProto) { fieldOf(c, "ping").Number = proto.Int32(501) }, "methods have the numbers"},
		"a push among the methods": {func(_, s *descriptorpb.DescriptorProto) {
			fieldOf(s, "behind").Number = proto.Int32(450)
		}, "no method has the number 450"},
	}
	for name, c := range cases {
		if _, err := Read(frames(t, c.change)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Read(frames(t, func(_, _ *descriptorpb.DescriptorProto) {})); err != nil {
		t.Error(err)
	}
}

func send() *wirepb.SendMessage {
	return &wirepb.SendMessage{
		Conversation:    &wirepb.ConversationRef{Kind: wirepb.ConversationKind_CONVERSATION_KIND_PEER, Id: "bob"},
		ClientMessageId: bytes.Repeat([]byte{0xAB}, 16), IssuedAtMs: 1<<53 - 1, Type: 1,
		Content: saying(func(*wirepb.Content) {}),
	}
}

func saying(change func(*wirepb.Content)) []byte {
	c := &wirepb.Content{Body: bytes.Repeat([]byte("x"), 200), MentionedUserIds: []string{"bob", "carol"}}
	change(c)
	data, err := c.MarshalVT()
	if err != nil {
		panic(err)
	}
	return data
}

func encoded(t testing.TB, m *wirepb.SendMessage) []byte {
	t.Helper()
	data, err := m.MarshalVT()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestBytesAreHeldToTheContract(t *testing.T) {
	change := func(f func(*wirepb.SendMessage)) []byte {
		m := send()
		f(m)
		return encoded(t, m)
	}
	says := func(f func(*wirepb.Content)) []byte {
		return change(func(m *wirepb.SendMessage) { m.Content = saying(f) })
	}
	good := encoded(t, send())
	deep := []byte("x")
	for range 40 {
		deep = protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), deep)
	}
	unknown := func(n int) []byte {
		return protowire.AppendBytes(protowire.AppendTag(bytes.Clone(good), 900, protowire.BytesType), make([]byte, n))
	}
	cases := map[string]struct {
		data []byte
		code chat.Code
	}{
		"as it should be":        {good, 0},
		"nothing":                {nil, 0},
		"bytes that are no text": {says(func(c *wirepb.Content) { c.Body = []byte("\xff") }), 0},
		"cut off":                {good[:len(good)-1], chat.CodeMalformedFrame},
		"no UTF-8":               {says(func(c *wirepb.Content) { c.ExtendedData = "\xff" }), chat.CodeMalformedFrame},
		"no UTF-8 inside":        {change(func(m *wirepb.SendMessage) { m.Conversation.Id = "\xff" }), chat.CodeMalformedFrame},
		"no UTF-8 in a list":     {says(func(c *wirepb.Content) { c.MentionedUserIds[1] = "\xff" }), chat.CodeMalformedFrame},
		"too long":               {change(func(m *wirepb.SendMessage) { m.ClientMessageId = make([]byte, 17) }), chat.CodeInvalidParam},
		"too long inside":        {change(func(m *wirepb.SendMessage) { m.Conversation.Id = strings.Repeat("x", 129) }), chat.CodeInvalidParam},
		"too many":               {says(func(c *wirepb.Content) { c.MentionedUserIds = slicesOf("bob", 101) }), chat.CodeInvalidParam},
		"as many as may be":      {says(func(c *wirepb.Content) { c.MentionedUserIds = slicesOf("bob", 100) }), 0},
		"no user ID":             {says(func(c *wirepb.Content) { c.MentionedUserIds = []string{"a b"} }), chat.CodeInvalidParam},
		"no content":             {change(func(m *wirepb.SendMessage) { m.Content = []byte("no content") }), chat.CodeMalformedFrame},
		"another type":           {protowire.AppendVarint(protowire.AppendTag(nil, 5, protowire.VarintType), 1), chat.CodeMalformedFrame},
		"chunk for a number":     {protowire.AppendBytes(protowire.AppendTag(nil, 4, protowire.BytesType), []byte{1}), chat.CodeMalformedFrame},
		"field 0":                {[]byte{0x00, 0x01}, chat.CodeMalformedFrame},
		"a group":                {[]byte{0xa3, 0x06, 0xa4, 0x06}, chat.CodeMalformedFrame},
		"a newer field":          {unknown(maxUnknown - 8), 0},
		"much that is newer":     {unknown(maxUnknown), chat.CodeMalformedFrame},
	}
	for name, c := range cases {
		if err := ByNumber(30).Request.Check(c.data); chat.CodeOf(err) != c.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	nested := &Checker{name: "Nested"}
	nested.fields = []*field{nil, {name: "nested", typ: protowire.BytesType, message: nested}}
	if err := nested.Check(deep); chat.CodeOf(err) != chat.CodeMalformedFrame || !strings.Contains(err.Error(), "too deep") {
		t.Errorf("deep: %v", err)
	}
}

func slicesOf(s string, n int) []string { return strings.Split(strings.Repeat(s+" ", n-1)+s, " ") }

func TestListsOfNumbersMayBePacked(t *testing.T) {
	c := &Checker{name: "Packed", fields: []*field{nil, {name: "n", typ: protowire.VarintType, packed: true}}}
	packed := protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), []byte{1, 0x80, 1})
	single := protowire.AppendVarint(protowire.AppendTag(packed, 1, protowire.VarintType), 1)
	if err := c.Check(single); err != nil {
		t.Error(err)
	}
	if err := c.Check(packed[:len(packed)-1]); chat.CodeOf(err) != chat.CodeMalformedFrame {
		t.Errorf("cut off: %v", err)
	}
	cut := protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), []byte{0x80})
	if err := c.Check(cut); chat.CodeOf(err) != chat.CodeMalformedFrame {
		t.Errorf("a number cut off: %v", err)
	}
}

func TestCheckingAllocatesNothing(t *testing.T) {
	data := encoded(t, send())
	if n := testing.AllocsPerRun(100, func() { _ = ByNumber(30).Request.Check(data) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzWhatPassesDecodes: what the checker lets through the generated code reads.
func FuzzWhatPassesDecodes(f *testing.F) {
	f.Add(encoded(f, send()))
	f.Add([]byte{0x0a, 0x02, 0x08, 0x01})
	f.Fuzz(func(t *testing.T, data []byte) {
		err := ByNumber(30).Request.Check(data)
		var m wirepb.SendMessage
		if decoded := m.UnmarshalVT(data); err == nil && decoded != nil {
			t.Fatalf("%x passed and does not decode: %v", data, decoded)
		}
		var again wirepb.SendMessage
		if err == nil {
			strict := (proto.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(data, &again)
			if discardUnknown(m.ProtoReflect()); strict != nil || !proto.Equal(&m, &again) {
				t.Fatalf("%x is read in two ways, %v and %v (%v)", data, &m, &again, strict)
			}
		}
	})
}

// discardUnknown drops what of m and of its conversation is unknown: the two
// decoders keep its tags in different forms.
func discardUnknown(m protoreflect.Message) {
	m.SetUnknown(nil)
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if f.Message() != nil {
			discardUnknown(v.Message())
		}
		return true
	})
}

func BenchmarkCheckSend(b *testing.B) {
	data, c := encoded(b, send()), ByNumber(30).Request
	b.ReportAllocs()
	for b.Loop() {
		if err := c.Check(data); err != nil {
			b.Fatal(err)
		}
	}
}
