namespace GardenApp.Paging;

/// <summary>Which part of a list is wanted: <c>?offset=0&amp;limit=20</c>.</summary>
internal readonly record struct PageRequest(int Offset, int Limit)
{
    internal const int LargestLimit = 100;

    internal static Dictionary<string, string[]>? Problems(int offset, int limit)
    {
        var problems = new Dictionary<string, string[]>();
        if (offset is < 0 or > 1_000_000) problems["offset"] = ["must be from 0 to 1000000"];
        if (limit is < 1 or > LargestLimit) problems["limit"] = [$"must be from 1 to {LargestLimit}"];
        return problems.Count > 0 ? problems : null;
    }
}
