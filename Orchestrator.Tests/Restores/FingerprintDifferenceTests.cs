using System.Collections.Immutable;
using Orchestrator.Backups;
using Orchestrator.Backups.Sets;
using Orchestrator.Restores;

namespace Orchestrator.Tests.Restores;

public sealed class FingerprintDifferenceTests
{
    private static readonly ImmutableSortedDictionary<string, string> Then = Prints(("table gardens", "3:aa"), ("table plants", "200:bb"), ("table gone", "5:cc"));

    [Test]
    public void What_is_the_same_is_not_told() => Assert.That(FingerprintDifference.Between(Then, Then), Is.Empty);

    [Test]
    public void One_changed_row_shows_as_well_as_a_missing_and_a_new_table()
    {
        var now = Prints(("table gardens", "3:ab"), ("table plants", "200:bb"), ("table new", "1:dd"));

        Assert.That(FingerprintDifference.Between(Then, now).Select(difference => difference.ToString()), Is.EqualTo(new[]
        {
            "table gardens: had 3:aa, has 3:ab",
            "table gone: had 5:cc, and is missing",
            "table new: was not in the backup, and has 1:dd",
        }));
    }

    [Test]
    public void What_could_not_be_held_still_at_the_backup_is_not_compared()
    {
        var part = new BackupPart { Service = "postgres", Kind = "postgres", Objects = [], Fingerprints = Then, Facts = Prints(("not_compared table busy", "it was written to all the time")) };

        Assert.That(FingerprintDifference.Against(part, Then.Add("table busy", "9:ee")), Is.Empty);
        Assert.That(FingerprintDifference.Against(part, Then.Add("table other", "9:ee")), Has.Length.EqualTo(1));
    }

    [Test]
    public void A_table_that_lost_most_of_its_rows_since_the_last_set_is_told_and_a_small_one_is_not()
    {
        var before = Manifest(Then);

        Assert.That(ContentJumps.Find(before, Manifest(Prints(("table gardens", "0:00"), ("table plants", "150:bb"), ("table gone", "5:cc")))), Is.Empty);
        Assert.That(
            ContentJumps.Find(before, Manifest(Prints(("table gardens", "3:aa"), ("table plants", "20:bb"), ("table gone", "5:cc")))),
            Is.EqualTo(new[] { "postgres: table plants has 20, and had 200" }));
        Assert.That(ContentJumps.Find(before, Manifest(Then.Remove("table plants"))), Is.EqualTo(new[] { "postgres: table plants has 0, and had 200" }));
    }

    private static BackupManifest Manifest(ImmutableSortedDictionary<string, string> prints) => new()
    {
        Id = new("000001-20261126T000000Z"),
        Stack = "garden",
        CreatedAt = default,
        Reason = "schedule",
        Program = "1",
        Recipients = [],
        Parts = [new() { Service = "postgres", Kind = "postgres", Objects = [], Fingerprints = prints }],
    };

    private static ImmutableSortedDictionary<string, string> Prints(params (string Name, string Print)[] prints) => prints.ToImmutableSortedDictionary(print => print.Name, print => print.Print);
}
