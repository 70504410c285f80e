import { Center, Loader } from '@mantine/core';

export function Waiting() {
  return (
    <Center h="40vh">
      <Loader aria-label="Loading" />
    </Center>
  );
}
