import { Anchor, Stack, Text, Title } from '@mantine/core';
import { Link } from '@tanstack/react-router';

/** What an address that leads nowhere shows. */
export function LostPage() {
  return (
    <Stack align="center" mt="10vh">
      <title>Nothing here · Assay</title>
      <Title order={1} size="h2">
        There is nothing here
      </Title>
      <Text c="dimmed">The address may be mistyped.</Text>
      <Anchor renderRoot={(props) => <Link to="/" {...props} />}>To the jobs</Anchor>
    </Stack>
  );
}
