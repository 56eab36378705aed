using System.IO.Compression;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using GardenApp.Hosting;
using GardenApp.Transfer;

namespace Orchestrator.Tests.GardenApp;

public sealed class TransferTests
{
    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("garden-transfer").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task Export_import_export_gives_the_same_bytes()
    {
        await using var source = await RunningGarden.StartAsync();
        await PlantAsync(source, "ana");
        await PlantAsync(source, "bor");
        await using var target = await RunningGarden.StartAsync();
        await PlantAsync(target, "bor");

        var first = await ExportAsync(source.Settings, "ana", "first.zip");
        Assert.That(await ImportVerb.RunAsync(target.Settings, new ImportArguments(first, null, false), CancellationToken.None), Is.Zero);
        var second = await ExportAsync(target.Settings, "ana", "second.zip");
        Assert.That(await File.ReadAllBytesAsync(second), Is.EqualTo(await File.ReadAllBytesAsync(first)));

        await using var zip = await ZipFile.OpenReadAsync(first);
        Assert.That(zip.Entries.Select(entry => entry.Name), Does.Contain("readings.jsonl"));
        Assert.That(zip.Entries.Select(entry => entry.Length), Is.All.GreaterThan(0), "every kind of data took part");
    }

    [Test]
    public async Task What_a_user_has_is_replaced_only_when_asked_and_the_others_keep_theirs()
    {
        await using var garden = await RunningGarden.StartAsync();
        await PlantAsync(garden, "ana");
        await PlantAsync(garden, "bor");
        var file = await ExportAsync(garden.Settings, "ana", "ana.zip");
        var others = await ExportAsync(garden.Settings, "bor", "bor.zip");
        await PlantAsync(garden, "ana");

        Assert.That(await ImportVerb.RunAsync(garden.Settings, new ImportArguments(file, null, false), CancellationToken.None), Is.EqualTo(1));
        Assert.That(await ImportVerb.RunAsync(garden.Settings, new ImportArguments(file, null, true), CancellationToken.None), Is.Zero);
        Assert.That(await File.ReadAllBytesAsync(await ExportAsync(garden.Settings, "ana", "again.zip")), Is.EqualTo(await File.ReadAllBytesAsync(file)));
        Assert.That(await File.ReadAllBytesAsync(await ExportAsync(garden.Settings, "bor", "others.zip")), Is.EqualTo(await File.ReadAllBytesAsync(others)));
        Assert.That(Directory.GetFiles(garden.Settings.UploadsFolder), Has.Length.EqualTo(2), "the replaced upload's file is gone");
    }

    [Test]
    public async Task An_import_that_fails_in_the_middle_leaves_nothing()
    {
        await using var source = await RunningGarden.StartAsync();
        await PlantAsync(source, "ana");
        await using var target = await RunningGarden.StartAsync();
        var file = await ExportAsync(source.Settings, "ana", "ana.zip");
        // The last thing that is read: all rows are in the transaction by then.
        await using (var zip = await ZipFile.OpenAsync(file, ZipArchiveMode.Update))
        {
            var upload = zip.Entries.Last(entry => entry.FullName.StartsWith("uploads/", StringComparison.Ordinal));
            await using var content = await upload.OpenAsync();
            content.WriteByte(0xff);
        }

        Assert.That(await ImportVerb.RunAsync(target.Settings, new ImportArguments(file, null, false), CancellationToken.None), Is.EqualTo(1));
        var gardens = await target.Client.GetFromJsonAsync<JsonNode>("/api/gardens?owner=ana");
        Assert.That((int?)gardens!["total"], Is.Zero);
        Assert.That(Directory.Exists(target.Settings.UploadsFolder) ? Directory.GetFiles(target.Settings.UploadsFolder) : [], Is.Empty);
    }

    [Test]
    public async Task What_is_no_export_is_refused()
    {
        await using var garden = await RunningGarden.StartAsync();
        var file = Path.Combine(_folder, "no.zip");
        await File.WriteAllTextAsync(file, "this is no zip");
        Assert.That(await ImportVerb.RunAsync(garden.Settings, new ImportArguments(file, null, false), CancellationToken.None), Is.EqualTo(1));
        Assert.That(await ImportVerb.RunAsync(garden.Settings, new ImportArguments(Path.Combine(_folder, "missing"), null, false), CancellationToken.None), Is.EqualTo(1));
    }

    [TestCase("--user ana --out a.zip", true)]
    [TestCase("--out a.zip --user ana", true)]
    [TestCase("--user Ana --out a.zip", false)]
    [TestCase("--user ana", false)]
    public void Export_takes_a_user_and_a_file(string arguments, bool accepted) => Assert.That(ExportArguments.Parse(arguments.Split(' ')) is not null, Is.EqualTo(accepted));

    [TestCase("a.zip", true)]
    [TestCase("a.zip --replace", true)]
    [TestCase("a.zip --user bor --replace", true)]
    [TestCase("a.zip --replace --user bor", true)]
    [TestCase("--replace", false)]
    [TestCase("a.zip b.zip", false)]
    public void Import_takes_a_file_and_options(string arguments, bool accepted) => Assert.That(ImportArguments.Parse(arguments.Split(' ')) is not null, Is.EqualTo(accepted));

    // A garden with one of everything, and numbers that do not survive careless formatting.
    private static async Task PlantAsync(RunningGarden garden, string user)
    {
        using var client = await garden.SignInAsync(user);
        using var created = await client.PostAsJsonAsync("/api/gardens", new { name = "Бašta „a\"\\\n\u2028🌱", location = "", areaSquareMetres = 0.10m });
        var id = (string?)(await RunningGarden.JsonOf(created))["id"];
        using var plant = await client.PostAsJsonAsync($"/api/gardens/{id}/plants", new { species = "Ruža", plantedOn = "1999-12-31", notes = "a\tb" });
        using var readings = await client.PostAsJsonAsync("/api/sensors/readings", new[] { 0.1 + 0.2, 1e-300, 5e-324, 99.999999999999986 }.Select((value, index) =>
            new { deviceId = $"{user}:{id}", sensorType = "soil_moisture", value, unit = "%", gardenId = id, recordedAt = TimeProvider.System.GetUtcNow().AddMilliseconds(-index).AddTicks(-10) }));
        Assert.That((int?)(await RunningGarden.JsonOf(readings))["accepted"], Is.EqualTo(4));
        using var insights = await client.PostAsync($"/api/gardens/{id}/insights", null);
        await RunningGarden.JsonOf(insights);
        using var upload = await client.PostAsync($"/api/uploads?name=slika.jpg&gardenId={id}", new ByteArrayContent(RandomNumberGenerator.GetBytes(70_000)));
        await RunningGarden.JsonOf(upload);
    }

    private async Task<string> ExportAsync(GardenSettings settings, string user, string name)
    {
        var file = Path.Combine(_folder, name);
        Assert.That(await ExportVerb.RunAsync(settings, new ExportArguments(user, file), CancellationToken.None), Is.Zero);
        return file;
    }
}
