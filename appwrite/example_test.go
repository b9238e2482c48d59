package appwrite_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/appwritetest"
)

func Example() {
	ctx := context.Background()
	srv, err := appwritetest.Start(ctx) // stands in for a project of yours
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = srv.Close() }()

	if err := tour(ctx, appwrite.Config{Endpoint: srv.Endpoint(), Project: srv.Project(), Key: srv.Key()}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// Appwrite 1.9.6 speaks tablesdb
	// stored: 9007199254740993
	// somebody else was faster: true
}

func tour(ctx context.Context, cfg appwrite.Config) error {
	c, err := appwrite.New(cfg)
	if err != nil {
		return err
	}
	defer c.Close()
	server, err := c.Detect(ctx)
	if err != nil {
		return err
	}
	fmt.Println("Appwrite", server.Version, "speaks", server.Dialect)

	_, err = c.CreateDatabase(ctx, appwrite.Database{ID: "shop", Name: "Shop", Enabled: true})
	if err != nil {
		return err
	}
	_, err = c.CreateCollection(ctx, "shop", appwrite.Collection{ID: "products", Name: "Products", Enabled: true})
	if err != nil {
		return err
	}
	_, err = c.CreateAttribute(ctx, "shop", "products", appwrite.Attribute{Key: "stock", Type: appwrite.TypeInteger})
	if err != nil {
		return err
	}
	err = c.WaitAvailable(ctx, "shop", []appwrite.Awaited{{Collection: "products", Attribute: "stock"}})
	if err != nil {
		return err
	}
	lamp := appwrite.Document{ID: "lamp", Data: map[string]any{"stock": int64(9007199254740993)}}
	if lamp, err = c.CreateDocument(ctx, "shop", "products", lamp); err != nil {
		return err
	}
	fmt.Println("stored:", lamp.Data["stock"])

	stale := appwrite.Guard{UpdatedAt: "2001-01-01T00:00:00.000+00:00"}
	_, err = c.UpdateDocument(ctx, "shop", "products", "lamp", appwrite.DocumentPatch{Data: map[string]any{"stock": 0}}, stale)
	fmt.Println("somebody else was faster:", errors.Is(err, appwrite.ErrConflict))
	return nil
}
