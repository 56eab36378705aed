using System.Runtime.Versioning;
using Orchestrator.Journal;

namespace Orchestrator.Tests.Journal;

[TestFixture, SupportedOSPlatform("linux")]
public sealed class DataDirectoryLockTests
{
    [Test]
    public void A_data_directory_has_one_holder_at_a_time_and_the_refusal_names_it()
    {
        using var directory = new TemporaryDirectory();
        using var first = DataDirectoryLock.TryAcquire(directory["data"], out _);

        var second = DataDirectoryLock.TryAcquire(directory["data"], out var problem);

        Assert.That(first, Is.Not.Null);
        Assert.That(second, Is.Null);
        Assert.That(problem, Does.Contain($"process {Environment.ProcessId}").And.Contain(directory["data"]));
    }

    [Test]
    public void A_directory_that_was_let_go_is_free()
    {
        using var directory = new TemporaryDirectory();
        DataDirectoryLock.TryAcquire(directory.Path, out _)?.Dispose();

        using var again = DataDirectoryLock.TryAcquire(directory.Path, out var problem);

        Assert.That(again, Is.Not.Null, problem);
    }

    [Test]
    public void A_new_data_directory_is_closed_to_others()
    {
        using var directory = new TemporaryDirectory();
        using var held = DataDirectoryLock.TryAcquire(directory["data"], out _);

        Assert.That(File.GetUnixFileMode(directory["data"]),
            Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute));
    }
}
