// Tests that may run beside each other kill daemons and engines, and wait for them: they need little of the processors.
[assembly: NUnit.Framework.LevelOfParallelism(4)]
