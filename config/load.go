package config

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Load gives the defaults, overridden by the YAML file; none when file is "". The
// result is not validated: more may change it. Errors name file and line, and
// never quote a value.
func Load(file string) (Config, error) {
	c := Default()
	if file == "" {
		return c, nil
	}
	text, err := ReadFile(file)
	if err != nil {
		return Config{}, fmt.Errorf("read the configuration: %w", err)
	}
	if err := c.decode(file, text); err != nil {
		return Config{}, err
	}
	return c, nil
}

// decode lays one YAML document over c. An unknown or repeated key is an error;
// a document without content changes nothing.
func (c *Config) decode(file string, text []byte) error {
	parsed, err := parser.ParseBytes(text, 0)
	if err != nil {
		return explain(file, err)
	}
	if len(parsed.Docs) > 1 {
		return fmt.Errorf("%s: more than one YAML document; one is allowed", file)
	}
	for _, doc := range parsed.Docs {
		switch doc.Body.(type) {
		case nil, *ast.NullNode, *ast.CommentGroupNode:
			return nil // the decoder would reset c
		}
		if err := yaml.NodeToValue(doc.Body, c, yaml.DisallowUnknownField()); err != nil {
			return explain(file, err)
		}
	}
	return nil
}

// explain turns a decoder's error into a sentence with its place. The library's
// own text quotes the lines around it, which may hold a secret.
func explain(file string, err error) error {
	var at yaml.Error
	if !errors.As(err, &at) {
		return fmt.Errorf("%s: %w", file, err)
	}
	place := file
	if tk := at.GetToken(); tk != nil {
		place = fmt.Sprintf("%s:%d", file, tk.Position.Line)
	}
	var unknown *yaml.UnknownFieldError
	var wrongType *yaml.TypeError
	var overflow *yaml.OverflowError
	switch {
	case errors.As(err, &unknown):
		return fmt.Errorf("%s: %s; the keys of the file are %s, of an app %s, of limits %s, of cluster %s",
			place, at.GetMessage(), keys[Config](), keys[App](), keys[Limits](), keys[Cluster]())
	case errors.As(err, &wrongType):
		return fmt.Errorf("%s: the value is %s; %s is wanted here", place, inWords(wrongType.SrcType), inWords(wrongType.DstType))
	case errors.As(err, &overflow):
		return fmt.Errorf("%s: the number is negative or too large here", place)
	}
	return fmt.Errorf("%s: %s", place, at.GetMessage())
}

// inWords says what a value of the type is in a file.
func inWords(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return "a duration such as 48h"
	case t.Kind() == reflect.String:
		return "a text"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.Slice:
		return "a list"
	case t.Kind() == reflect.Map || t.Kind() == reflect.Struct:
		return "a map"
	case t.Kind() == reflect.Float64:
		return "a fraction"
	}
	return "a whole number"
}

// keys lists the YAML keys of a struct type.
func keys[T any]() string {
	var names []string
	t := reflect.TypeFor[T]()
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}
