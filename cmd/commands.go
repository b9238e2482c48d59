package cmd

import "github.com/spf13/cobra"

// addCommands is the table of commands.
func (a *app) addCommands(root *cobra.Command) {
	root.AddCommand(
		newInit(a), newNew(a), newImport(a), newPull(a), newSquash(a), newDev(a), newDemo(a),
		newUp(a), newDown(a), newTo(a), newRedo(a), newBaseline(a), newReset(a),
		newPlan(a), newSchema(a), newDiff(a), newDrift(a), newLint(a), newVerify(a), newStatus(a), newHistory(a), newJournal(a), newDoctor(a), newVersion(a),
		newResume(a), newRollback(a), newResolve(a), newLock(a),
	)
}
