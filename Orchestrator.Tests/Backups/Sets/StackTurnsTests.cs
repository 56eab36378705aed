using Orchestrator.Backups.Sets;

namespace Orchestrator.Tests.Backups.Sets;

public sealed class StackTurnsTests
{
    [Test]
    public async Task Who_comes_second_waits_until_the_first_has_left_and_can_ask_what_for()
    {
        var turns = new StackTurns();
        var first = await turns.EnterAsync("garden", "a backup", CancellationToken.None);
        var second = turns.EnterAsync("garden", "a drill", CancellationToken.None);

        Assert.That(turns.NowAt("garden"), Is.EqualTo("a backup"));
        Assert.That(turns.TryEnter("garden", "a restore"), Is.Null);
        Assert.That(second.IsCompleted, Is.False);

        first.Dispose();
        first.Dispose();                                            // once is enough, twice does no harm
        using (await second) Assert.That(turns.NowAt("garden"), Is.EqualTo("a drill"));
        Assert.That(turns.NowAt("garden"), Is.Null);
    }

    [Test]
    public async Task Stacks_do_not_wait_for_each_other()
    {
        var turns = new StackTurns();
        using var first = await turns.EnterAsync("garden", "a backup", CancellationToken.None);
        using var other = turns.TryEnter("shop", "a backup");

        Assert.That(other, Is.Not.Null);
    }
}
