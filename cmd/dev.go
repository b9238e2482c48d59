package cmd

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/backstep-dev/backstep/appwritetest"
)

type devOptions struct {
	addr    string
	version string
	data    string
	project string
	key     string
}

func newDev(a *app) *cobra.Command {
	o := devOptions{}
	c := &cobra.Command{
		Use:     "dev",
		Short:   "Serve an embedded Appwrite on loopback, to develop against",
		GroupID: "start",
		Long: `Serves the databases of an Appwrite project, both dialects, on this machine. It
prints three lines that a shell can eval, then serves until it is interrupted.
Without --data everything is forgotten at the end.`,
		Example: `  backstep dev --data .backstep/dev.db
  backstep dev --version 1.8.1 --addr 127.0.0.1:8080`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runDev(c, a, o) },
	}
	f := c.Flags()
	f.StringVar(&o.addr, "addr", "127.0.0.1:0", "address to listen on; port 0 picks a free one")
	f.StringVar(&o.version, "version", "1.9.6", "Appwrite version to behave as: 1.7.4, 1.8.1 or 1.9.6")
	f.StringVar(&o.data, "data", "", "file to keep the data in (default: memory)")
	f.StringVar(&o.project, "project", "dev", "project id")
	f.StringVar(&o.key, "key", "", "API key (default: a random one)")
	return c
}

func runDev(c *cobra.Command, a *app, o devOptions) error {
	opts := []appwritetest.Option{
		appwritetest.Version(o.version),
		appwritetest.Addr(o.addr),
		appwritetest.Project(o.project),
		appwritetest.Logger(a.logger),
	}
	if o.key != "" {
		opts = append(opts, appwritetest.Key(o.key))
	}
	if o.data != "" {
		opts = append(opts, appwritetest.Data(o.data))
	}
	ctx := c.Context()
	server, err := appwritetest.Start(ctx, opts...)
	if errors.Is(err, appwritetest.ErrVersion) {
		return usageError(fmt.Errorf("--version: %w", err), a.name+" dev --help")
	}
	if err != nil {
		return fmt.Errorf("start the embedded server: %w", err)
	}
	fmt.Fprintf(a.streams.Out, "APPWRITE_ENDPOINT=%s\nAPPWRITE_PROJECT_ID=%s\nAPPWRITE_API_KEY=%s\n",
		server.Endpoint(), server.Project(), server.Key())
	fmt.Fprintf(a.streams.Err, "Appwrite %s is serving on %s; Ctrl-C ends it\n", o.version, server.Endpoint())
	<-ctx.Done()
	if err := server.Close(); err != nil {
		return fmt.Errorf("close the embedded server: %w", err)
	}
	return nil
}
