using GardenApp.Paging;

namespace GardenApp.Gardens;

/// <summary>What there is to see without DATABASE_URL, so that the image shows something by itself. It cannot be changed.</summary>
internal static class SampleGarden
{
    internal static readonly Garden Only = new()
    {
        Id = new Guid("00000000-0000-7000-8000-000000000001"),
        Owner = "sample",
        Name = "Sample garden",
        Location = "DATABASE_URL is not set",
        AreaSquareMetres = 12.5m,
        CreatedAt = DateTimeOffset.UnixEpoch,
        UpdatedAt = DateTimeOffset.UnixEpoch,
    };

    internal static Page<Garden> Page(string? owner, PageRequest page)
    {
        var matches = owner is null || owner == Only.Owner;
        return new Page<Garden>(matches && page.Offset == 0 ? [Only] : [], matches ? 1 : 0, page.Offset, page.Limit);
    }
}
