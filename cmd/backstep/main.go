// Backstep migrates the databases of Appwrite projects.
package main

import (
	"os"

	"github.com/backstep-dev/backstep/cmd"
)

func main() {
	os.Exit(cmd.Main())
}
