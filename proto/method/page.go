package method

import (
	"fmt"
	"io"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/parley-im/parley/proto/methodpb"
)

const pageHead = `# Methods

Made from proto/wire by proto/method/list; do not edit. How they are used: [protocol.md](protocol.md).

A method is asked as the field of its name of ` + "`ClientFrame`" + ` on the socket, or as ` + "`POST /parley.v1/PATH`" + `; its reply has the same name. A *read* may be asked again, a *write* too, under the same request id, what is done *once* never. The methods of a rate class share one allowance of a user.

| number | name | path | ZIM | server API | goes to | kind | rate | since | bounds |
|---|---|---|---|---|---|---|---|---|---|
`

// WritePage writes the methods as a page of docs.
func WritePage(w io.Writer) {
	fmt.Fprint(w, pageHead)
	for _, m := range all {
		fmt.Fprintf(w, "| %d | `%s` | %s | %s | %s | %s | %s | %s | %d | %s |\n", m.Number, jsonName(m.Name), m.Path, m.ZIM, m.Action,
			word(m.To), word(m.Kind), word(m.Rate), m.Since, strings.Join(bounds(JSONOf(m.NewRequest()).message, ""), "; "))
	}
}

// word is an enum's value without its prefix: "self" of TO_SELF.
func word(v interface{ String() string }) string {
	_, name, _ := strings.Cut(v.String(), "_")
	return strings.ToLower(name)
}

func jsonName(name string) string {
	parts := strings.Split(name, "_")
	for i := 1; i < len(parts); i++ {
		parts[i] = strings.ToUpper(parts[i][:1]) + parts[i][1:]
	}
	return strings.Join(parts, "")
}

// bounds lists those of a message and of what it holds.
func bounds(d protoreflect.MessageDescriptor, path string) (out []string) {
	for i := range d.Fields().Len() {
		f := d.Fields().Get(i)
		name := path + f.JSONName()
		if b, _ := proto.GetExtension(f.Options(), methodpb.E_Bound).(*methodpb.Bound); b != nil {
			out = append(out, "`"+name+"` "+boundText(b))
		}
		if f.Message() != nil && strings.Count(name, ".") < maxDepth {
			out = append(out, bounds(f.Message(), name+".")...)
		}
	}
	return out
}

func boundText(b *methodpb.Bound) string {
	var parts []string
	if b.MaxItems > 0 {
		parts = append(parts, fmt.Sprintf("≤ %d elements", b.MaxItems))
	}
	if b.Max > 0 {
		parts = append(parts, fmt.Sprintf("≤ %d bytes", b.Max))
	}
	if b.UserId {
		parts = append(parts, "a user ID")
	}
	return strings.Join(parts, ", ")
}
