package cmd

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/backstep-dev/backstep/schema"
)

type schemaOptions struct {
	format string
	ignore []string
	server string
}

func newSchema(a *app) *cobra.Command {
	o := schemaOptions{}
	c := &cobra.Command{
		Use:     "schema [WHAT]",
		Short:   "Show a schema as a tree, as JSON or as a diagram",
		GroupID: "look",
		Long: `Shows the databases, collections, attributes, relationships and indexes of WHAT:
live (the environment, which is the default), env:NAME, migrations (what they add
up to) or the path of an Appwrite CLI file. Nothing is changed.

JSON is in the canonical form: equal schemas are equal bytes.`,
		Example: "  backstep schema\n  backstep schema migrations --format mermaid > schema.mmd\n  backstep schema env:production --format json | sha256sum",
		Args:    atMostOne("one schema"),
		RunE:    func(c *cobra.Command, args []string) error { return runSchema(c, a, args, o) },
	}
	f := c.Flags()
	f.StringVar(&o.format, "format", "table", "output: table, json or mermaid")
	f.StringArrayVar(&o.ignore, "ignore", nil, "leave a database out")
	f.StringVar(&o.server, "server", "", "version of Appwrite that migrations are added up for (default: "+defaultServer+")")
	return c
}

func runSchema(c *cobra.Command, a *app, args []string, o schemaOptions) error {
	if !slices.Contains([]string{"table", "json", "mermaid"}, o.format) {
		return usageError(fmt.Errorf("--format is %q; it may be table, json or mermaid", o.format), a.name+" schema --help")
	}
	reader, err := a.newSideReader(o.server, o.ignore)
	if err != nil {
		return err
	}
	reader.help = a.name + " schema --help"
	word := sideLive
	if len(args) > 0 {
		word = args[0]
	}
	s, err := reader.one(c.Context(), word, nil)
	if err != nil {
		return err
	}
	a.tellNotices(s)
	switch o.format {
	case "json":
		data, err := schema.JSON(s.model)
		if err != nil {
			return err
		}
		_, err = a.streams.Out.Write(data)
		return err
	case "mermaid":
		return schema.Mermaid(a.streams.Out, s.model)
	}
	var text bytes.Buffer
	if err := schema.Text(&text, s.model); err != nil {
		return err
	}
	if text.Len() == 0 {
		fmt.Fprintf(a.streams.Out, "%s: no databases.\n", s.Label)
		return nil
	}
	a.paintMarks(a.streams.Out, text.String())
	return nil
}
