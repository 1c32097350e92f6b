package api

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/wirepb"
)

// refusal is an error that an actor answered with.
type refusal struct{ of *wirepb.Error }

func (r refusal) Error() string { return r.of.GetMessage() }

// connectError is the body of an error by Connect's protocol; ours is its detail.
type connectError struct {
	Code    string          `json:"code"`
	Message string          `json:"message"`
	Details []connectDetail `json:"details"`
}

type connectDetail struct {
	Type  string          `json:"type"`
	Value string          `json:"value"` // protobuf in base64 without padding
	Debug json.RawMessage `json:"debug"`
}

// status is a word of Connect's protocol with its HTTP status.
type status struct {
	word string
	http int
}

// statuses gives our codes Connect's; what is not there was refused for its form.
var statuses = map[chat.Code]status{
	chat.CodeBusy:                {"resource_exhausted", http.StatusTooManyRequests},
	chat.CodeInternal:            {"internal", http.StatusInternalServerError},
	chat.CodeUnsupported:         {"unimplemented", http.StatusNotImplemented},
	chat.CodeUnknownFrame:        {"unimplemented", http.StatusNotImplemented},
	chat.CodeProtocolUnsupported: {"failed_precondition", http.StatusBadRequest},
	chat.CodeUnavailable:         {"unavailable", http.StatusServiceUnavailable},
	chat.CodeTimeout:             {"deadline_exceeded", http.StatusGatewayTimeout},
	chat.CodeInvalidAppID:        {"unauthenticated", http.StatusUnauthorized},
	chat.CodeLoginRefused:        {"unauthenticated", http.StatusUnauthorized},
	chat.CodeTokenInvalid:        {"unauthenticated", http.StatusUnauthorized},
	chat.CodeTokenExpired:        {"unauthenticated", http.StatusUnauthorized},
	chat.CodeTokenVersion:        {"unauthenticated", http.StatusUnauthorized},
	chat.CodeTokenTooShort:       {"unauthenticated", http.StatusUnauthorized},
	chat.CodeNotLoggedIn:         {"unauthenticated", http.StatusUnauthorized},
	chat.CodeKicked:              {"unauthenticated", http.StatusUnauthorized},
	chat.CodeNoSuchTarget:        {"not_found", http.StatusNotFound},
	chat.CodeNoConversation:      {"not_found", http.StatusNotFound},
	chat.CodeDedupeWindowPassed:  {"failed_precondition", http.StatusBadRequest},
	chat.CodeIDConflict:          {"already_exists", http.StatusConflict},
}

// fail answers with an error.
func fail(w http.ResponseWriter, err error) {
	e := wirepb.FromError("request", err)
	var r refusal
	if errors.As(err, &r) {
		e = r.of
	}
	s, ok := statuses[chat.Code(e.Code)]
	if !ok {
		s = status{"invalid_argument", http.StatusBadRequest}
	}
	value, _ := proto.Marshal(e) // a message of our own encodes
	debug, _ := protojson.Marshal(e)
	if s.http == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	if e.RetryAfterMs > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(e.RetryAfterMs+999)/1000))
	}
	answer(w, s.http, connectError{s.word, e.Message, []connectDetail{
		{"parley.wire.v1.Error", base64.RawStdEncoding.EncodeToString(value), debug},
	}})
}
