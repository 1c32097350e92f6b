package api

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/internal/fair"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/method"
)

// MethodsPath is what the paths of methods begin with.
const MethodsPath = "/parley.v1/"

// Methods serves the methods of the client contract by the unary protocol of
// Connect: a POST to MethodsPath and the method's name, with a request in JSON or
// protobuf. There is no code per method; the table of package method has them.
type Methods struct {
	// Authenticate says for which user a request is made.
	Authenticate func(*http.Request) (chat.UserKey, error)
	// Ask has it done; ask.Door's Ask is one.
	Ask func(ctx context.Context, u chat.UserKey, m *method.Method, requestID, body []byte) (*actorpb.Answer, error)
	// MaxBytes bounds a request's body.
	MaxBytes int64
	// Places bound the requests under way, by where they come from.
	Places *fair.Pool
	Source func(*http.Request) fair.Source
}

const (
	typeJSON  = "application/json"
	typeProto = "application/proto"
)

func media(isJSON bool) string {
	if isJSON {
		return typeJSON
	}
	return typeProto
}

// ServeHTTP implements http.Handler.
func (s *Methods) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m := method.ByPath(strings.TrimPrefix(r.URL.Path, MethodsPath))
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case m == nil:
		fail(w, chat.Errorf(chat.CodeUnknownFrame, "request", "there is no such method; docs/methods.md lists them"))
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		w.WriteHeader(http.StatusMethodNotAllowed)
	case err != nil || kind != typeJSON && kind != typeProto:
		w.Header().Set("Accept-Post", typeJSON+", "+typeProto)
		w.WriteHeader(http.StatusUnsupportedMediaType)
	default:
		s.serve(w, r, m, kind == typeJSON)
	}
}

func (s *Methods) serve(w http.ResponseWriter, r *http.Request, m *method.Method, isJSON bool) {
	from := s.Source(r)
	if !s.Places.Take(from) {
		fail(w, chat.Errorf(chat.CodeBusy, "request", "too many requests are under way; try again later"))
		return
	}
	user, err := s.Authenticate(r)
	if err != nil {
		s.Places.Give(from)
		fail(w, err)
		return
	}
	s.Places.Settle(from)
	defer s.Places.GiveSettled()
	reply, err := s.ask(w, r, user, m, isJSON)
	if err != nil {
		fail(w, err)
		return
	}
	w.Header().Set("Content-Type", media(isJSON))
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(reply)
}

// ask reads the request and gives the encoded reply.
func (s *Methods) ask(w http.ResponseWriter, r *http.Request, u chat.UserKey, m *method.Method, isJSON bool) ([]byte, error) {
	ctx, cancel, err := patience(r)
	if err != nil {
		return nil, err
	}
	defer cancel()
	id, err := requestID(r)
	if err != nil {
		return nil, err
	}
	body, err := s.read(w, r, m, isJSON)
	if err != nil {
		return nil, err
	}
	answer, err := s.Ask(ctx, u, m, id, body)
	switch {
	case err != nil:
		return nil, err
	case answer.Error != nil:
		return nil, refusal{answer.Error}
	}
	return encode(answer, m, isJSON)
}

// read gives a request's body in the binary encoding.
func (s *Methods) read(w http.ResponseWriter, r *http.Request, m *method.Method, isJSON bool) ([]byte, error) {
	if coding := r.Header.Get("Content-Encoding"); coding != "" && coding != "identity" {
		return nil, chat.Errorf(chat.CodeUnsupported, "request", "bodies are not compressed here")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.MaxBytes))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, chat.Errorf(chat.CodeInvalidParam, "request", "the body has more than %d bytes", s.MaxBytes)
	case err != nil:
		return nil, chat.Errorf(chat.CodeMalformedFrame, "request", "the body is cut off")
	case !isJSON:
		return body, nil
	}
	encoded, err := method.JSONOf(m.NewRequest()).Encode(body)
	if err != nil {
		return nil, chat.Errorf(chat.CodeMalformedFrame, "request", "the body is no %s in JSON: %w", m.Path, err)
	}
	return encoded, nil
}

func encode(answer *actorpb.Answer, m *method.Method, isJSON bool) ([]byte, error) {
	body, err := answer.Encoded()
	if err != nil || !isJSON {
		return body, err
	}
	return method.JSONOf(m.NewReply()).Decode(body)
}

// patience bounds a request by Connect-Timeout-Ms, if it has one.
func patience(r *http.Request) (context.Context, context.CancelFunc, error) {
	text := r.Header.Get("Connect-Timeout-Ms")
	if text == "" {
		return r.Context(), func() {}, nil
	}
	ms, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return nil, nil, chat.Errorf(chat.CodeInvalidParam, "request", "Connect-Timeout-Ms is %.20q; a number of milliseconds is wanted", text)
	}
	ctx, cancel := context.WithTimeout(r.Context(), time.Duration(ms)*time.Millisecond)
	return ctx, cancel, nil
}

// requestID reads Idempotency-Key: 16 bytes in hexadecimal, a UUID for instance.
func requestID(r *http.Request) ([]byte, error) {
	text := r.Header.Get("Idempotency-Key")
	if text == "" {
		return nil, nil
	}
	id, err := hex.DecodeString(strings.ReplaceAll(strings.Trim(text, `"`), "-", ""))
	if err != nil || len(id) != 16 {
		return nil, chat.Errorf(chat.CodeInvalidParam, "request", "Idempotency-Key is no UUID, nor 32 hexadecimal digits")
	}
	return id, nil
}
