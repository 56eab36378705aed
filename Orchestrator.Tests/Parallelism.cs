// Tests that may run beside each other kill daemons and engines, and wait for them: they need less of the processors than of the time.
[assembly: NUnit.Framework.LevelOfParallelism(3)]
